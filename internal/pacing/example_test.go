package pacing_test

import (
	"fmt"
	"log"
	"time"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/pacing"
)

// Two producers share a load of three messages a second: each intended send time
// follows from the message's number alone, so nothing can move it.
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
		for offset, ok := schedule.Next(); ok; offset, ok = schedule.Next() {
			fmt.Println(producer, offset, schedule.Stage(offset))
		}
	}
	// Output:
	// 0 0s warmup
	// 0 666.666667ms warmup
	// 0 1.333333333s measure
	// 1 333.333333ms warmup
	// 1 1s measure
	// 1 1.666666667s measure
}
