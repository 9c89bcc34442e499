package pacing_test

import (
	"fmt"
	"log"
	"time"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/pacing"
)

// Two producers share a load of three messages a second: each intended send time
// follows from the message's number alone, so nothing can move it. The last column is
// whether the message is measured.
func ExampleSchedule() {
	workload := experiment.Workload{
		Topology: experiment.Topology{Producers: 2},
		Load:     experiment.Load{Rate: 3},
		Stages:   experiment.Stages{Warmup: experiment.Duration(time.Second), Measure: experiment.Duration(time.Second)},
	}
	for producer := range 2 {
		schedule, err := pacing.New(workload, producer)
		if err != nil {
			log.Fatal(err)
		}
		from, until := schedule.Bounds()
		for n := range until {
			offset, _ := schedule.Next()
			fmt.Println(producer, offset, n >= from)
		}
	}
	// Output:
	// 0 0s false
	// 0 666.666667ms false
	// 0 1.333333333s true
	// 1 333.333333ms false
	// 1 1s true
	// 1 1.666666667s true
}
