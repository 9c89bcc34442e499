package stats_test

import (
	"fmt"
	"strings"

	"dec.local/dec/internal/stats"
)

// One number per run goes in, a verdict comes out.
func ExampleCompare() {
	question := stats.Question{Metric: "publish_p99", Ended: 10, Planned: 10}
	c := stats.Compare(question, []stats.Sample{
		{Label: "page-cache", Values: []float64{2.1, 2.4, 2.2, 2.3, 2.2}},
		{Label: "fsync", Values: []float64{9.8, 9.1, 10.4, 9.9, 9.5}},
	})
	fmt.Println(c.Verdict, c.Best)
	fmt.Println(c.Sentence)
	// Output:
	// different page-cache
	// page-cache is faster than fsync at publish p99 by a factor of 4.3 (95 % CI 4.0–4.7; 5 against 5 runs).
}

// Runs that overlap decide nothing, and that is an answer.
func ExampleCompare_cantTell() {
	question := stats.Question{Metric: "publish_p99", Ended: 10, Planned: 10}
	c := stats.Compare(question, []stats.Sample{
		{Label: "file", Values: []float64{2.1, 2.9, 2.2, 2.4, 2.6}},
		{Label: "memory", Values: []float64{2.0, 2.3, 2.8, 2.7, 2.2}},
	})
	fmt.Println(c.Verdict)
	fmt.Println(strings.ReplaceAll(c.Sentence, ". ", ".\n"))
	// Output:
	// cant_tell
	// Can't tell which is faster at publish p99: the difference could be anything from file 21.4 % lower to memory 23.1 % lower (95 % CI; 5 against 5 runs).
	// At this spread it would take more than 50 runs of each variant to show a difference of 3.6 %.
}
