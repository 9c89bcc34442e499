package fakecloud

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"time"

	"dec.local/dec/e2e/fakecloud/cloud"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/target"
)

// kindOf is the kind of an object as DEC calls it: its type in OpenTofu.
func kindOf(kind cloud.Kind) string { return "fakecloud_" + string(kind) }

// List implements [target.Place]. Objects come in an order in which they can be
// removed.
func (p *place) List(ctx context.Context, run string) ([]experiment.Object, error) {
	list, err := p.client.List(ctx)
	if err != nil {
		return nil, err
	}
	runs := runsOf(list)
	var objects []experiment.Object
	for _, o := range list {
		if of := runs[o.ID]; of != "" && (run == "" || of == run) {
			objects = append(objects, describe(o, of))
		}
	}
	return objects, nil
}

// runInName finds the run in the name of what was made for it: the beginning,
// as package experiment makes ids.
var runInName = regexp.MustCompile(`^(r[a-z0-9]{9})-`)

// runsOf returns the run that each object belongs to, by id: as its tag says, or
// else its name, or else the objects that it was made for and depends on. Objects
// of nobody's run are not DEC's.
func runsOf(list []cloud.Object) map[string]string {
	byID, runs := make(map[string]cloud.Object, len(list)), make(map[string]string, len(list))
	for _, o := range list {
		byID[o.ID] = o
	}
	var find func(o cloud.Object) string
	find = func(o cloud.Object) string {
		if run := o.Tags[target.TagRun]; run != "" {
			return run
		}
		if m := runInName.FindStringSubmatch(o.Name); m != nil {
			return m[1]
		}
		for _, id := range append([]string{o.Owner}, o.DependsOn...) {
			if parent, ok := byID[id]; ok {
				return find(parent) // at the latest a network, which depends on nothing
			}
		}
		return ""
	}
	for _, o := range list {
		runs[o.ID] = find(o)
	}
	return runs
}

// describe is an object as DEC sees it.
func describe(o cloud.Object, run string) experiment.Object {
	expiresAt, err := time.Parse(time.RFC3339, o.Tags[target.TagExpiresAt])
	if err != nil {
		expiresAt = time.Time{}
	}
	d := experiment.Object{
		Kind: kindOf(o.Kind), ID: o.ID, Run: run, Install: o.Tags[target.TagInstall], Address: o.Tags[target.TagAddress],
		Alive:     o.Kind == cloud.KindInstance && o.State != cloud.Failed,
		CreatedAt: o.CreatedAt, ExpiresAt: expiresAt,
		Detail: map[string]string{"state": string(o.State)},
	}
	for key, value := range map[string]string{"name": o.Name, "host": o.Host, "reason": o.Reason} {
		if value != "" {
			d.Detail[key] = value
		}
	}
	for port, number := range o.Ports {
		d.Detail["port "+port] = strconv.Itoa(number)
	}
	return d
}

// Remove implements [target.Place].
func (p *place) Remove(ctx context.Context, o experiment.Object) error {
	ctx, cancel := context.WithTimeoutCause(ctx, p.timeout, fmt.Errorf("it takes more than %s", p.timeout))
	defer cancel()
	return p.client.Delete(ctx, o.ID)
}
