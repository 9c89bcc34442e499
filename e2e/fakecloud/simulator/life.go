package simulator

import (
	"cmp"
	"context"
	"net/http"
	"strings"
	"time"

	"dec.local/dec/e2e/fakecloud/cloud"
)

// parents are the kinds of what an object depends on when a caller makes it.
var parents = map[cloud.Kind][]cloud.Kind{
	cloud.KindNetwork: {}, cloud.KindAddress: {cloud.KindNetwork}, cloud.KindInstance: {cloud.KindAddress},
}

// create makes an object.
func (s *simulator) create(life context.Context, c *call) (int, any, error) {
	if fault, injected := s.faults.inject(cloud.LateObject, c); injected {
		s.faults.hang(life, fault) // whatever becomes of the caller
	}
	if life.Err() != nil {
		return 0, nil, refuse(cloud.CodeInternal, "the cloud ends")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.check(c.body); err != nil {
		return 0, nil, err
	}
	r, err := s.newRecord(c)
	if err != nil {
		return 0, nil, err
	}
	if err := s.add(r, c); err != nil {
		return 0, nil, err
	}
	if r.Kind == cloud.KindInstance {
		if err := s.addInterface(r, c); err != nil {
			return 0, nil, err
		}
		s.work.Go(func() { s.start(life, r, c.body) })
	}
	if r.Operation != "" {
		return http.StatusAccepted, cloud.Created{Operation: r.Operation}, nil
	}
	o := s.view(r)
	return http.StatusCreated, cloud.Created{Object: &o}, nil
}

// check refuses what cannot be made. What it depends on must exist as far as
// reads show it.
func (s *simulator) check(wanted cloud.Creation) error {
	kinds, known := parents[wanted.Kind]
	switch {
	case !known:
		return refuse(cloud.CodeInvalid, "nobody makes a %q", wanted.Kind)
	case wanted.Name == "":
		return refuse(cloud.CodeInvalid, "a name is missing")
	case len(wanted.DependsOn) != len(kinds):
		return refuse(cloud.CodeInvalid, "%s depends on %d objects", wanted.Kind, len(kinds))
	}
	for i, id := range wanted.DependsOn {
		parent, err := s.find(cloud.ActionRead, id)
		if err != nil {
			return err
		}
		if parent.Kind != kinds[i] || !parent.exists() || parent.State == cloud.Deleting {
			return refuse(cloud.CodeInvalid, "%s is no %s that lasts", id, kinds[i])
		}
	}
	return nil
}

// newRecord is the object that a call asks for, with the faults that it was
// born with.
func (s *simulator) newRecord(c *call) (*record, error) {
	now := time.Now().UTC()
	r := &record{Object: cloud.Object{
		Kind: c.body.Kind, ID: newID(c.body.Kind), Name: c.body.Name, Tags: c.body.Tags, State: cloud.Ready,
		DependsOn: c.body.DependsOn, CreatedAt: now, UserData: c.body.UserData,
	}}
	if r.Kind == cloud.KindInstance {
		r.State = cloud.Pending
	}
	if r.Kind == cloud.KindAddress {
		var err error
		if r.Host, r.Ports, err = newAddress(c.body.Ports); err != nil {
			return nil, err
		}
	}
	if fault, injected := s.faults.inject(cloud.SlowCreate, c); injected {
		r.ReadyAt = now.Add(fault.Delay.Std())
	}
	if fault, injected := s.faults.inject(cloud.LateID, c); injected {
		r.Operation, r.ToldAt = newID(r.Kind)+"-create", now.Add(fault.Delay.Std())
	}
	if _, injected := s.faults.inject(cloud.Untagged, c); injected {
		r.Tags = nil
	}
	return r, nil
}

// addInterface makes what the cloud itself adds to an instance, if that is a
// fault of it.
func (s *simulator) addInterface(instance *record, c *call) error {
	fault, injected := s.faults.inject(cloud.Children, c)
	if !injected {
		return nil
	}
	return s.add(&record{
		Object: cloud.Object{
			Kind: cloud.KindInterface, ID: newID(cloud.KindInterface), State: cloud.Ready, CreatedAt: instance.CreatedAt,
			DependsOn: s.records[instance.DependsOn[0]].DependsOn, Owner: instance.ID,
		},
		Outlives: fault.Delay.Std(),
	}, c)
}

// add takes in a new object. The caller holds the lock.
func (s *simulator) add(r *record, c *call) error {
	if err := s.save(r); err != nil {
		return err
	}
	s.records[r.ID] = r
	if r.Name != "" { // the call is about it
		c.entry.ID = r.ID
	}
	_, err := s.log.write(object(cloud.EventCreated, r, c))
	return err
}

// operation tells the id of an object that was made, when it is time.
func (s *simulator) operation(c *call) (int, any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.byOperation(c.request.PathValue("id"))
	if r == nil {
		return 0, nil, refuse(cloud.CodeNotFound, "there is no operation %q", c.request.PathValue("id"))
	}
	if time.Now().Before(r.ToldAt) {
		return http.StatusOK, cloud.Created{Operation: r.Operation}, nil
	}
	o := s.view(r)
	return http.StatusOK, cloud.Created{Object: &o}, nil
}

// byOperation returns the record that an operation made. The caller holds the
// lock.
func (s *simulator) byOperation(operation string) *record {
	for _, r := range s.records {
		if r.Operation != "" && r.Operation == operation {
			return r
		}
	}
	return nil
}

// read shows an object.
func (s *simulator) read(c *call) (int, any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, err := s.find(cloud.ActionRead, c.request.PathValue("id"))
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, s.view(r), nil
}

// delete begins to delete an object. It knows what really exists, whatever reads
// show.
func (s *simulator) delete(life context.Context, c *call) (int, any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.records[c.request.PathValue("id")]
	if r == nil || !r.exists() {
		return 0, nil, refuse(cloud.CodeNotFound, "there is no object %q", c.request.PathValue("id"))
	}
	if r.State == cloud.Deleting {
		return http.StatusAccepted, s.view(r), nil
	}
	if owner := s.records[r.Owner]; owner != nil && owner.exists() {
		return 0, nil, refuse(cloud.CodeDependency, "%s is in use by %s", r.ID, r.Owner)
	}
	if in := s.dependents(r.ID); len(in) > 0 {
		return 0, nil, refuse(cloud.CodeDependency, "%s has dependent objects: %s", r.ID, strings.Join(in, ", "))
	}
	fault, hangs := s.faults.inject(cloud.HangDelete, c)
	r.State = cloud.Deleting
	if err := s.save(r); err != nil {
		return 0, nil, err
	}
	s.work.Go(func() {
		if hangs {
			s.faults.hang(life, fault)
		}
		s.finish(life, r, c)
	})
	return http.StatusAccepted, s.view(r), nil
}

// finish ends the service of an object that is being deleted and forgets it, and
// sees to what the cloud had added to it. It gives up when life ends.
func (s *simulator) finish(life context.Context, r *record, c *call) {
	if r.Kind == cloud.KindInstance {
		err := s.stop(life, r)
		s.mu.Lock()
		if err != nil { // seen by whoever waits for the end
			r.Reason = err.Error()
			_ = s.save(r)
		}
		s.mu.Unlock()
		if err != nil {
			return
		}
	}
	if life.Err() != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forget(r, c)
	for _, child := range s.records {
		if child.Owner != r.ID || !child.exists() {
			continue
		}
		if child.Outlives == 0 {
			s.forget(child, nil)
			continue
		}
		s.work.Go(func() { s.outlive(life, child, time.Now().Add(child.Outlives)) })
	}
}

// outlive removes what the cloud itself had made, when it is time.
func (s *simulator) outlive(life context.Context, r *record, until time.Time) {
	sleep(life, time.Until(until))
	if life.Err() != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.exists() {
		s.forget(r, nil)
	}
}

// forget notes that nothing is left of an object. The caller holds the lock.
func (s *simulator) forget(r *record, c *call) {
	r.GoneAt = time.Now().UTC()
	_, err := s.log.write(object(cloud.EventDeleted, r, c))
	if err = cmp.Or(err, s.save(r)); err != nil {
		r.Reason = err.Error() // a full disk; the log shows the object as left
	}
}

// resume goes on with what an earlier cloud of this folder had begun.
func (s *simulator) resume(life context.Context) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.records {
		switch owner := s.records[r.Owner]; {
		case !r.exists():
		case r.State == cloud.Deleting:
			s.work.Go(func() { s.finish(life, r, nil) })
		case r.Kind == cloud.KindInstance && r.State == cloud.Pending:
			r.State, r.Reason = cloud.Failed, "the cloud ended while it was started"
		case owner != nil && !owner.exists():
			s.work.Go(func() { s.outlive(life, r, owner.GoneAt.Add(r.Outlives)) })
		}
	}
}
