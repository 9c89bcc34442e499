package target_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"dec.local/dec/target"
	"dec.local/dec/target/local"
)

// A target is used as the server uses it: open it, read its facts, ask what it can
// take and what exists, and find by assertion what only some targets can do.
func ExampleTarget() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "dec-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	options := target.Options{Data: dir, Getenv: func(string) string { return dir }}
	place, err := target.OpenAll(ctx, []target.Target{local.Target}, options).Find("local")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("runs at once:", place.Facts.Slots)
	fmt.Println("can be used:", place.Check(ctx, target.Demand{})[0].Level == target.OK)
	objects, err := place.List(ctx, "r123456789")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("objects of the run:", len(objects))
	_, exclusive := place.Place.(target.Exclusive)
	fmt.Println("one measurement at a time:", exclusive)
	// Output:
	// runs at once: 1
	// can be used: true
	// objects of the run: 0
	// one measurement at a time: true
}
