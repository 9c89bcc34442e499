package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"iter"
	"maps"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/target"
)

// The numbers that ports are taken from: below those that Linux gives to
// outgoing connections (from 32768), so that none of them is in the way.
const (
	FirstPort = 20000
	LastPort  = 29999
)

// ErrPortTaken says that another program listens on a port.
var ErrPortTaken = errors.New("another program listens on it")

// Port is a reserved port number.
type Port struct {
	Number    int               `json:"number"`
	Name      string            `json:"name"` // whoever asks for this name with these tags again gets this number
	Tags      map[string]string `json:"tags"`
	Claimed   bool              `json:"claimed"` // it was not only planned
	CreatedAt time.Time         `json:"created_at"`
}

// ReservePort reserves a port number for a name and its tags, which nobody else
// is given and no program listens on. Whoever asks again gets the same number,
// and very likely even if it was freed in between, so that a plan still holds
// when it is applied. Reservations past their dec:expires-at tag are freed on
// the way.
func (l *Ledger) ReservePort(ctx context.Context, name string, tags map[string]string) (Port, error) {
	if err := CheckName(name); err != nil {
		return Port{}, fmt.Errorf("reserve a port: %w", err)
	}
	var reserved Port
	err := l.locked(ctx, func() (err error) {
		reserved, err = l.reserve(name, tags)
		return err
	})
	if err != nil {
		return Port{}, fmt.Errorf("reserve a port for %s: %w", name, err)
	}
	return reserved, nil
}

func (l *Ledger) reserve(name string, tags map[string]string) (Port, error) {
	ports, err := l.ports()
	if err != nil {
		return Port{}, err
	}
	taken := map[int]bool{}
	now := time.Now()
	for _, p := range ports {
		if p.Name == name && maps.Equal(p.Tags, tags) {
			return p, nil
		}
		if at := expiry(p.Tags); !at.IsZero() && at.Before(now) {
			if err := os.Remove(l.portFile(p.Number)); err != nil && !gone(err) {
				return Port{}, err
			}
			continue
		}
		taken[p.Number] = true
	}
	for number := range numbers(name) {
		if taken[number] || listened(number) {
			continue
		}
		p := newPort(number, name, tags)
		return p, l.writePort(p, os.Link)
	}
	return Port{}, fmt.Errorf("none of the ports %d to %d is free: 'dec reconcile' frees the ports of runs that have ended", FirstPort, LastPort)
}

// numbers are all port numbers, beginning at one that follows from the name. A
// name holds its run, so late clients of one run do not meet the next one.
func numbers(name string) iter.Seq[int] {
	const count = LastPort - FirstPort + 1
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(name)) // never fails
	first := int(hash.Sum32() % count)
	return func(yield func(int) bool) {
		for i := range count {
			if !yield(FirstPort + (first+i)%count) {
				return
			}
		}
	}
}

func newPort(number int, name string, tags map[string]string) Port {
	return Port{Number: number, Name: name, Tags: maps.Clone(tags), CreatedAt: time.Now().UTC().Round(0)}
}

// ClaimPort turns the reservation of a number, which [Ledger.ReservePort] made
// at plan, into a port that exists, and makes sure that no program listens on
// it. If one does, the reservation is given up, so that the next plan takes
// another number, and the error matches [ErrPortTaken].
func (l *Ledger) ClaimPort(ctx context.Context, number int, name string, tags map[string]string) (Port, error) {
	var claimed Port
	err := l.locked(ctx, func() (err error) {
		claimed, err = l.claim(newPort(number, name, tags))
		return err
	})
	if err != nil {
		return Port{}, fmt.Errorf("claim port %d for %s: %w", number, name, err)
	}
	return claimed, nil
}

func (l *Ledger) claim(want Port) (Port, error) {
	p, err := l.port(want.Number)
	place := os.Rename
	switch {
	case gone(err): // expired in the meantime
		p, place = want, os.Link
	case err != nil:
		return Port{}, err
	case p.Name != want.Name:
		return Port{}, fmt.Errorf("it has since been reserved for %q: plan again", p.Name)
	}
	if listened(want.Number) {
		if err := os.Remove(l.portFile(want.Number)); err != nil && !gone(err) {
			return Port{}, errors.Join(ErrPortTaken, err)
		}
		return Port{}, ErrPortTaken
	}
	p.Claimed = true
	return p, l.writePort(p, place)
}

// Port returns the reservation of a number, or an error that matches
// fs.ErrNotExist.
func (l *Ledger) Port(number int) (Port, error) {
	p, err := l.port(number)
	if err != nil {
		return Port{}, fmt.Errorf("port %d: %w", number, err)
	}
	return p, nil
}

// FreePort frees a port number if it is reserved for the name. It is no error
// if it is not.
func (l *Ledger) FreePort(ctx context.Context, number int, name string) error {
	return l.free(ctx, number, func(p Port) bool { return p.Name == name || p.Name == "" })
}

// removePort frees a port unless it belongs to another run by now. One whose
// file is damaged belongs to nobody.
func (l *Ledger) removePort(ctx context.Context, o experiment.Object) error {
	number, err := strconv.Atoi(o.ID)
	if err != nil {
		return fmt.Errorf("remove port %q: its id is not a number", o.ID)
	}
	return l.free(ctx, number, func(p Port) bool { return p.Name == "" || p.Tags[target.TagRun] == o.Run })
}

func (l *Ledger) free(ctx context.Context, number int, ours func(Port) bool) error {
	err := l.locked(ctx, func() error {
		p, err := l.port(number)
		if gone(err) || err == nil && !ours(p) {
			return nil
		}
		if err := os.Remove(l.portFile(number)); err != nil && !gone(err) {
			return err
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("free port %d: %w", number, err)
	}
	return nil
}

func (l *Ledger) portFile(number int) string {
	return filepath.Join(l.portsDir(), strconv.Itoa(number)+".json")
}

// port reads a reservation. A file that is damaged, which only a crash of the
// machine can do, is a reservation for nobody.
func (l *Ledger) port(number int) (Port, error) {
	content, err := os.ReadFile(l.portFile(number))
	if err != nil {
		return Port{}, err
	}
	var p Port
	if err := json.Unmarshal(content, &p); err != nil {
		p = Port{}
	}
	p.Number = number
	return p, nil
}

// writePort writes a reservation: with [os.Link] a new one, which fails if there
// is one, with [os.Rename] one over another.
func (l *Ledger) writePort(p Port, place func(from, to string) error) error {
	content, err := json.Marshal(p)
	if err != nil {
		return err
	}
	return writeWhole(l.portFile(p.Number), append(content, '\n'), place)
}

// ports reads all reservations.
func (l *Ledger) ports() ([]Port, error) {
	entries, err := os.ReadDir(l.portsDir())
	if err != nil && !gone(err) {
		return nil, err
	}
	var ports []Port
	for _, e := range entries {
		number, err := strconv.Atoi(strings.TrimSuffix(e.Name(), ".json"))
		if err != nil {
			continue // the file beside, see writeWhole
		}
		p, err := l.port(number)
		if gone(err) {
			continue
		} else if err != nil {
			return nil, err
		}
		ports = append(ports, p)
	}
	return ports, nil
}

func (l *Ledger) listPorts(ctx context.Context) ([]experiment.Object, error) {
	ports, err := l.ports()
	if err != nil {
		return nil, err
	}
	var objects []experiment.Object
	for _, p := range ports {
		o := experiment.Object{
			Kind:      KindPort,
			ID:        strconv.Itoa(p.Number),
			CreatedAt: p.CreatedAt,
			Detail:    map[string]string{"name": p.Name, "claimed": strconv.FormatBool(p.Claimed)},
		}
		tell(&o, p.Tags)
		objects = append(objects, o)
	}
	return objects, ctx.Err()
}

// listened reports whether any program listens on a port, at any address of this
// machine.
func listened(number int) bool {
	l, err := net.Listen("tcp", net.JoinHostPort("", strconv.Itoa(number)))
	if err != nil {
		return errors.Is(err, unix.EADDRINUSE)
	}
	_ = l.Close()
	return false
}
