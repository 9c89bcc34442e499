package reconcile

import (
	"context"
	"fmt"

	"dec.local/dec/internal/experiment"
)

// Who removed an object, as its receipt tells.
const (
	byDestroy = "destroy"
	bySweep   = "sweep"
	byNobody  = "never created"
)

// receipt describes every object that the run ever meant to have, and every one
// that a sweep removed, as gone.
func (v *Verifier) receipt(ctx context.Context, run string, created []experiment.Intent, swept []experiment.Object) (experiment.Receipt, error) {
	var none experiment.Receipt
	deleted, err := v.o.Intents.Deleted(ctx, run)
	if err != nil {
		return none, fmt.Errorf("verify run %s: %w", run, err)
	}
	seconds, err := v.o.Intents.Seconds(ctx, run)
	if err != nil {
		return none, fmt.Errorf("verify run %s: %w", run, err)
	}
	now := v.o.Now()
	r := experiment.Receipt{At: now.UTC(), QuietSweeps: quietSweeps}
	seen := make(map[key]bool)
	for _, o := range swept {
		k := key{o.Kind, o.ID}
		if seen[k] {
			continue // it took more than one try
		}
		seen[k] = true
		seen[key{o.Kind, o.Address}] = true // an intent that did not know the id is told by its address
		one := experiment.ReceiptObject{Kind: o.Kind, ID: o.ID, Address: o.Address, By: bySweep}
		if !o.CreatedAt.IsZero() {
			one.SecondsAlive = now.Sub(o.CreatedAt).Seconds()
		}
		r.Objects = append(r.Objects, one)
	}
	destroyed := make(map[string]bool)
	for _, intent := range deleted {
		destroyed[intent.Address] = true
	}
	for _, intent := range created {
		k := key{intent.Kind, intent.ID}
		if intent.ID == "" {
			k.id = intent.Address // its id was never known: the address tells it from others
		}
		if seen[k] {
			continue
		}
		seen[k] = true
		one := experiment.ReceiptObject{Kind: intent.Kind, ID: intent.ID, Address: intent.Address, By: byNobody}
		if destroyed[intent.Address] {
			one.By, one.SecondsAlive = byDestroy, seconds[intent.Address]
		}
		r.Objects = append(r.Objects, one)
	}
	r.Statement = v.statement(r.Objects)
	return r, nil
}

// statement says in one sentence what was checked and found.
func (v *Verifier) statement(objects []experiment.ReceiptObject) string {
	sweeps := fmt.Sprintf("%d sweeps %s apart found nothing", quietSweeps, v.o.Interval)
	if len(objects) == 0 {
		return "Nothing was created: no attempt intended to create anything, and " + sweeps + "."
	}
	by := make(map[string]int)
	for _, o := range objects {
		by[o.By]++
	}
	gone := "1 object is gone"
	if len(objects) > 1 {
		gone = fmt.Sprintf("%d objects are gone", len(objects))
	}
	return fmt.Sprintf("Nothing is left: no attempt is running, %s (%d destroyed, %d removed by the sweep, %d never created), and %s.",
		gone, by[byDestroy], by[bySweep], by[byNobody], sweeps)
}
