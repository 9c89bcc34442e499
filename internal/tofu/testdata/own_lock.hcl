provider "dec.local/dec/dec" {
  version     = "0.0.0-gtest"
  constraints = "0.0.0-gtest"
  hashes      = ["h1:iOcqCImGC4kJbrxkJnZyr0+xgDeyco8XRfROt1NbGSg="]
}
