// Package fakecloud is a target for tests alone: instances in a cloud that goes
// wrong on demand. Package cloud is the cloud's interface, package simulator the
// cloud itself, package provider its OpenTofu provider; README.md tells how to
// use them. The product never has it.
package fakecloud

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"os"
	"sync/atomic"
	"time"

	"dec.local/dec/e2e/fakecloud/cloud"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/target"
)

//go:embed nodes/*.tf
var files embed.FS

// Target is the cloud that the environment names, see [cloud.FromEnvironment].
var Target = target.Target{
	Name:  "fakecloud",
	Title: "A cloud for tests",
	Facts: target.Facts{
		SharedFiles:   true,
		Slots:         2,
		SweepInterval: 50 * time.Millisecond,
		Errors:        errorTexts,
	},
	Nodes:     nodes(),
	Providers: []target.Provider{{Source: "dec.local/dec/fakecloud", Executable: "terraform-provider-fakecloud", Artifacts: true}},
	Open:      open,
}

// nodes is the folder of the module alone.
func nodes() fs.FS {
	sub, err := fs.Sub(files, "nodes")
	if err != nil {
		panic(err) // the name is not a path
	}
	return sub
}

// place is an account in the cloud.
type place struct {
	client      *cloud.Client
	timeout     time.Duration // that an object may take to be gone
	credentials atomic.Int64  // issued by this process
}

var (
	_ target.Metered      = (*place)(nil)
	_ target.Logging      = (*place)(nil)
	_ target.Importing    = (*place)(nil)
	_ target.Priced       = (*place)(nil)
	_ target.Credentialed = (*place)(nil)
)

func open(_ context.Context, o target.Options) (target.Place, error) {
	client, err := cloud.FromEnvironment(o.Getenv)
	if err != nil {
		return nil, err
	}
	timeout, err := cloud.Timeout(o.Getenv)
	if err != nil {
		return nil, err
	}
	return &place{client: client, timeout: timeout}, nil
}

// Check implements [target.Place]: nothing is said about the run, for a cloud has
// room for it.
func (p *place) Check(ctx context.Context, _ target.Demand) []target.Finding {
	list, err := p.client.List(ctx)
	if err != nil {
		return []target.Finding{{Level: target.Refuse, Detail: err.Error(), Fix: "start the cloud, or give the key of its account"}}
	}
	return []target.Finding{{Detail: fmt.Sprintf("%s answers, with %d objects", p.client.URL(), len(list))}}
}

// Placement implements [target.Place].
func (p *place) Placement() target.Placement {
	return target.Placement{Environment: cloud.Environment(p.client.URL(), p.timeout)}
}

// Credentials implements [target.Credentialed]. The cloud's log has the calls of
// the attempt under the name of the credential.
func (p *place) Credentials(ctx context.Context, run string) (map[string]string, time.Time, error) {
	name := fmt.Sprintf("run %s, credential %d of process %d", run, p.credentials.Add(1), os.Getpid())
	session, err := p.client.Session(ctx, name)
	if err != nil {
		return nil, time.Time{}, err
	}
	return session.Credentials(), time.Time{}, nil
}

// ImportID implements [target.Importing]. What the cloud makes by itself is no
// resource.
func (p *place) ImportID(o experiment.Object) (id string, ok bool) {
	return o.ID, o.Kind != kindOf(cloud.KindInterface)
}

// prices are in US dollars per hour. What is not there costs nothing.
var prices = map[string]float64{kindOf(cloud.KindAddress): 0.005, kindOf(cloud.KindInstance): 0.1}

// HourlyUSD implements [target.Priced].
func (p *place) HourlyUSD(o experiment.Object) (usd float64, ok bool) { return prices[o.Kind], true }
