package stats

// Holm is the correction for several pairs.
var Holm = holm
