package simulator

import (
	"cmp"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"dec.local/dec/e2e/fakecloud/cloud"
)

// simulator is the state of a cloud.
type simulator struct {
	folder   string
	endpoint cloud.Endpoint
	faults   *faults
	log      *callLog
	work     sync.WaitGroup // what goes on after calls have ended

	mu      sync.Mutex         // protects the following, and the fields of records
	records map[string]*record // by id, also of what is gone
}

// record is an object as the cloud knows it. It is a file.
type record struct {
	cloud.Object
	Operation string        `json:"operation,omitempty"` // that tells the id
	ToldAt    time.Time     `json:"told_at,omitzero"`    // when the operation does
	ReadyAt   time.Time     `json:"ready_at,omitzero"`   // when it is no longer pending
	Outlives  time.Duration `json:"outlives_ns,omitempty"`
	GoneAt    time.Time     `json:"gone_at,omitzero"` // nothing is left of it since then

	starting sync.Mutex // held while its service is started
}

// prefixes are what ids begin with.
var prefixes = map[cloud.Kind]string{
	cloud.KindNetwork: "net-", cloud.KindAddress: "adr-", cloud.KindInstance: "ins-", cloud.KindInterface: "ifc-",
}

// newID makes an id that nobody could have known.
func newID(kind cloud.Kind) string {
	return prefixes[kind] + strings.ToLower(rand.Text()[:12])
}

// load reads all records.
func (s *simulator) load() error {
	files, err := filepath.Glob(filepath.Join(s.objects(), "*.json"))
	if err != nil {
		return err
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		r := &record{}
		if err := json.Unmarshal(data, r); err != nil {
			return fmt.Errorf("object %s: %w", file, err)
		}
		s.records[r.ID] = r
	}
	return nil
}

// save writes a record. The caller holds the lock.
func (s *simulator) save(r *record) error {
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return writeWhole(filepath.Join(s.objects(), r.ID+".json"), data)
}

// exists reports whether something is left of the object.
func (r *record) exists() bool { return r.GoneAt.IsZero() }

// seen reports whether reads that lag behind show the object.
func (r *record) seen(now time.Time, lag time.Duration) bool {
	return !now.Before(r.CreatedAt.Add(lag)) && (r.exists() || now.Before(r.GoneAt.Add(lag)))
}

// find returns a record and its view, or a NotFound if it does not exist as
// far as this call can see.
func (s *simulator) find(action cloud.Action, id string) (*record, error) {
	r := s.records[id]
	if r == nil || !r.seen(time.Now(), s.faults.lag(action, r.Kind, r.Name)) {
		return nil, refuse(cloud.CodeNotFound, "there is no object %q", id)
	}
	return r, nil
}

// view is what the cloud shows of a record.
func (s *simulator) view(r *record) cloud.Object {
	o := r.Object
	if o.State != cloud.Deleting && time.Now().Before(r.ReadyAt) {
		o.State = cloud.Pending
	}
	if o.State == cloud.Pending {
		o.Host, o.Ports = "", nil
	}
	if o.Kind == cloud.KindInstance && o.State == cloud.Ready {
		o.State, o.Reason = s.health(r)
	}
	return o
}

// ranks order kinds as they can be deleted.
var ranks = []cloud.Kind{cloud.KindInstance, cloud.KindInterface, cloud.KindAddress, cloud.KindNetwork}

// list returns what a list shows, those first that can be deleted first.
func (s *simulator) list() []cloud.Object {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := []cloud.Object{}
	for _, r := range s.records {
		if r.seen(time.Now(), s.faults.lag(cloud.ActionList, r.Kind, r.Name)) {
			list = append(list, s.view(r))
		}
	}
	slices.SortFunc(list, func(a, b cloud.Object) int {
		return cmp.Or(
			cmp.Compare(slices.Index(ranks, a.Kind), slices.Index(ranks, b.Kind)),
			a.CreatedAt.Compare(b.CreatedAt),
			cmp.Compare(a.ID, b.ID),
		)
	})
	return list
}

// dependents names what exists and depends on an object.
func (s *simulator) dependents(id string) []string {
	var names []string
	for _, r := range s.records {
		if r.exists() && slices.Contains(r.DependsOn, id) {
			names = append(names, r.ID)
		}
	}
	slices.Sort(names)
	return names
}
