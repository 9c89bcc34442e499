package client_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"dec.local/dec/internal/client"
	"dec.local/dec/internal/experiment"
)

// A plan is submitted, its experiment followed to the end, and the verdict read.
func Example() {
	server := httptest.NewServer(answers())
	defer server.Close()
	c, err := client.New(client.Options{URL: server.URL, Token: "the server's token"})
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	submitted, err := c.Submit(ctx, []byte("name: mine\n"), "")
	if err != nil {
		log.Fatal(err)
	}
	for event, err := range c.Events(ctx, client.EventFilter{Experiment: submitted.ID, After: submitted.LastEventID}) {
		if err != nil {
			log.Fatal(err)
		}
		if event.Stored == nil { // a second of a load, or a sign of life
			continue
		}
		fmt.Println(event.Stored.Run, event.Stored.Phase)
		if event.Stored.Phase == experiment.PhaseEnded {
			break
		}
	}
	ended, err := c.Experiment(ctx, submitted.ID)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(ended.State)
	// Output:
	// r1 load
	// r1 ended
	// ended
}

// answers plays the part of the server.
func answers() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/v1/experiments", answer(http.StatusCreated, "application/json", `{"id": "e1", "state": "queued", "last_event_id": 1}`))
	mux.HandleFunc("GET /api/v1/events", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		send(w, 2, "event", `{"id": 2, "run": "r1", "kind": "phase", "phase": "load"}`)
		send(w, 3, "event", `{"id": 3, "run": "r1", "kind": "phase", "phase": "ended"}`)
	})
	mux.HandleFunc("GET /api/v1/experiments/e1", answer(http.StatusOK, "application/json", `{"id": "e1", "state": "ended"}`))
	return mux
}
