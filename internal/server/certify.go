package server

import (
	"context"
	"errors"
	"time"

	"dec.local/dec/internal/certify"
	"dec.local/dec/internal/datadir"
	"dec.local/dec/target"
)

// Certify certifies the agent that lies beside dec on this machine, and keeps the
// certificate in the data folder. It needs no server, and waits until nobody else measures
// on this machine. A bound that is missed is no error.
func Certify(ctx context.Context, f *datadir.Folders, targets []target.Target, short bool, progress func(string)) (certify.Report, error) {
	agent, err := f.FindAgent()
	if err != nil {
		return certify.Report{}, err
	}
	release, err := measureAlone(ctx, OpenTargets(ctx, f, targets), progress)
	if err != nil {
		return certify.Report{}, err
	}
	defer release()
	report, err := certify.Run(ctx, certify.Options{Agent: agent, Short: short, Progress: progress})
	if err != nil {
		return report, err
	}
	return report, certificates(f).Save(report)
}

// certificates are those of a data folder.
func certificates(f *datadir.Folders) certify.Store {
	return certify.Store{Dir: f.Home().Certificates()}
}

// aloneAfter is how long the wait for other measurements may be without a word.
const aloneAfter = 300 * time.Millisecond

// measureAlone keeps others from measuring on the places that are this machine.
func measureAlone(ctx context.Context, places target.Places, progress func(string)) (release func(), err error) {
	var releases []func()
	release = func() {
		for _, r := range releases {
			r()
		}
	}
	for _, name := range places.Names() {
		place, ok := places[name].Place.(target.Exclusive)
		if !ok || !places[name].Facts.SharedMachine {
			continue
		}
		soon, cancel := context.WithTimeout(ctx, aloneAfter)
		r, err := place.LockMeasuring(soon)
		cancel()
		if errors.Is(err, target.ErrMeasuring) && ctx.Err() == nil {
			progress("waiting until the other measurement on this machine has ended")
			r, err = place.LockMeasuring(ctx)
		}
		if err != nil {
			release()
			return nil, err
		}
		releases = append(releases, r)
	}
	return release, nil
}
