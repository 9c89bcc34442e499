package supervise

import (
	"context"
	"os"
)

// StartTorn starts a supervisor whose starter dies within the handover.
func StartTorn(ctx context.Context, folder string, spec Spec) (*Process, error) {
	if err := os.Mkdir(folder, 0o700); err != nil {
		return nil, err
	}
	p := &Process{folder: folder}
	locks, err := p.prepare(spec, nil)
	if err == nil {
		_, err = p.spawn(ctx, locks, []byte(`{"secrets":{"A":"b`))
	}
	for _, lock := range locks {
		lock.Close()
	}
	return p, err
}

// ParseStat is what the package reads from a stat file, in ticks and bytes.
func ParseStat(data []byte) (pid, ppid int, cpu uint64, gone bool, err error) {
	p, err := parseStat(data)
	return p.pid, p.ppid, p.cpu, p.gone(), err
}
