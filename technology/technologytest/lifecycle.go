package technologytest

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/technology"
)

func cancelled(t *testing.T, s Suite) {
	f := s.prepare(t, s.workload())
	in := newInbox()
	p, a := f.producer(0)
	reason := errors.New("the test says so")
	ctx, cancel := context.WithCancelCause(f.ctx)
	cancel(reason)
	if err := p.Send(ctx, 0, technology.Message{Payload: []byte("x")}); !errors.Is(err, reason) {
		t.Errorf("Send() with a cancelled context = %v, want the cause", err)
	}
	if _, err := f.driver.Consumer(ctx, "group", 0, in.receiver()); err == nil {
		t.Error("Consumer() with a cancelled context = nil, want an error")
	}
	if _, err := f.driver.Prepare(ctx, f.workload.Topology, f.workload.Retention); err == nil {
		t.Error("Prepare() with a cancelled context = nil, want an error")
	}
	settings := technology.Settings{Destination: "cancelled", Workload: f.workload}
	if _, err := s.Technology.Open(ctx, s.Endpoints, settings); err == nil {
		t.Error("Open() with a cancelled context = nil, want an error")
	}
	// The context of Send is for the handing over only.
	ctx, cancel = context.WithCancelCause(f.ctx)
	if err := p.Send(ctx, 0, technology.Message{Payload: []byte("x")}); err != nil {
		t.Errorf("Send() = %v, want no error", err)
	}
	cancel(reason)
	f.flush(p)
	a.check(t, 1)
}

func closeTellsTheEnd(t *testing.T, s Suite) {
	const n = 500
	f := s.prepare(t, s.workload())
	a := newAcks()
	p, err := f.driver.Producer(f.ctx, 0, a.add)
	if err != nil {
		t.Fatalf("Producer(0) = %v, want no error", err)
	}
	for i := range n {
		f.send(p, uint64(i), 0, "", payload("under way", i))
	}
	closeOne(t, "producer", p)
	a.mu.Lock()
	defer a.mu.Unlock()
	for token := range uint64(n) {
		if a.counts[token] != 1 {
			t.Errorf("acked was called %d times for token %d, want once before Close returns", a.counts[token], token)
		}
		if err := a.errs[token]; err != nil && !errors.Is(err, technology.ErrClosed) {
			t.Errorf("acked(%d, %v), want nil or %v", token, err, technology.ErrClosed)
		}
	}
}

func closedTwice(t *testing.T, s Suite) {
	f := s.prepare(t, s.workload())
	p, a := f.producer(0)
	c := f.consumer("group", 0, newInbox())
	for range 2 {
		closeOne(t, "consumer", c)
		closeOne(t, "producer", p)
	}
	if err := p.Send(f.ctx, 0, technology.Message{Payload: []byte("x")}); !errors.Is(err, technology.ErrClosed) {
		t.Errorf("Send() after Close = %v, want %v", err, technology.ErrClosed)
	}
	if n := a.total(); n != 0 {
		t.Errorf("acked was called %d times, want none", n)
	}
	for range 2 {
		closeOne(t, "driver", f.driver)
	}
}

func prepareTwice(t *testing.T, s Suite) {
	w := s.workload()
	w.Topology.Partitions = 2
	f := s.prepare(t, w)
	again, err := f.driver.Prepare(f.ctx, w.Topology, w.Retention)
	if err != nil {
		t.Fatalf("Prepare() again = %v, want no error", err)
	}
	if diff := cmp.Diff(f.effective, again); diff != "" {
		t.Errorf("Prepare() again tells other guarantees (-first +again):\n%s", diff)
	}
	e := f.effective
	if scale := experiment.ProducerAck.Scale(); !slices.Contains(scale, e.ProducerAck) {
		t.Errorf("Effective.ProducerAck = %q, want one of %q", e.ProducerAck, scale)
	}
	if scale := experiment.Durability.Scale(); !slices.Contains(scale, e.Durability) {
		t.Errorf("Effective.Durability = %q, want one of %q", e.Durability, scale)
	}
	for _, setting := range experiment.ClientSettings() {
		if e.Clients[setting] == "" {
			t.Errorf("Effective.Clients has no %s", setting)
		}
	}
	if e.Replicas != w.Topology.Replicas {
		t.Errorf("Effective.Replicas = %d, want %d", e.Replicas, w.Topology.Replicas)
	}
	if e.ProducerAck != "none" && (e.MinInSync < 1 || e.MinInSync > e.Replicas) {
		t.Errorf("Effective.MinInSync = %d, want 1 to %d", e.MinInSync, e.Replicas)
	}
	if n := e.WaitedFor; n == nil || *n < e.MinInSync || *n > e.Replicas {
		t.Errorf("Effective.WaitedFor = %s, want %d to %d", e.Value(experiment.WaitedFor), e.MinInSync, e.Replicas)
	}
	if e.Details["version"] == "" {
		t.Errorf("Effective.Details = %v, want a version among them", e.Details)
	}
}

func otherShape(t *testing.T, s Suite) {
	f := s.prepare(t, s.workload())
	other := f.workload.Topology
	other.Partitions, other.Replicas = 3, 99
	if _, err := f.driver.Prepare(f.ctx, other, f.workload.Retention); err == nil {
		t.Error("Prepare() of an existing destination with 99 replicas = nil, want an error")
	}
}

// clientConfig checks that the schema and CheckConfig agree, for every setting.
func clientConfig(t *testing.T, s Suite) {
	var schema struct {
		AdditionalProperties *bool `json:"additionalProperties"`
		Properties           map[string]struct {
			Description string          `json:"description"`
			Default     json.RawMessage `json:"default"`
		} `json:"properties"`
	}
	if err := json.Unmarshal(s.Technology.ConfigSchema, &schema); err != nil {
		t.Fatalf("ConfigSchema is no JSON: %v", err)
	}
	if schema.AdditionalProperties == nil || *schema.AdditionalProperties {
		t.Error("ConfigSchema lets unknown settings pass, want additionalProperties false")
	}
	check := func(name, value string) error {
		return s.Technology.CheckConfig(map[string]json.RawMessage{name: json.RawMessage(value)}, s.workload())
	}
	if err := s.Technology.CheckConfig(nil, s.workload()); err != nil {
		t.Errorf("CheckConfig() of nothing = %v, want no error", err)
	}
	for name, property := range schema.Properties {
		if property.Description == "" {
			t.Errorf("setting %s has no description", name)
		}
		if err := check(name, string(property.Default)); err != nil {
			t.Errorf("CheckConfig() of the default of %s = %v, want no error", name, err)
		}
		wrong := map[string]string{name + "x": string(property.Default), name: `{"a": 1}`}
		for field, value := range wrong {
			err := check(field, value)
			problems, ok := errors.AsType[*experiment.Problems](err)
			if !ok || len(*problems) != 1 || (*problems)[0].Path != "client_config."+field {
				t.Errorf("CheckConfig({%s: %s}) = %v, want one problem there", field, value, err)
				continue
			}
			if field != name && !strings.Contains(err.Error(), "did you mean "+name+"?") {
				t.Errorf("CheckConfig({%s: %s}) = %v, want it to ask for %s", field, value, err, name)
			}
		}
	}
	if _, err := s.Technology.Open(t.Context(), s.Endpoints, technology.Settings{
		Destination: "unknown", Workload: s.workload(), Secrets: s.Secrets, ClientConfig: map[string]json.RawMessage{"no_such": []byte("1")},
	}); err == nil {
		t.Error("Open() with an unknown setting = nil, want an error")
	}
}
