package simulator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"dec.local/dec/e2e/fakecloud/cloud"
	"dec.local/dec/internal/supervise"
)

// newAddress makes up a host and ports on which nobody listens. Hosts are of
// 127.64.0.0/10, all of which Linux answers to without being told: so nodes
// have addresses of their own, as in a real network.
func newAddress(names []string) (host string, ports map[string]int, err error) {
	host = net.IPv4(127, byte(64+rand.N(64)), byte(rand.N(256)), byte(1+rand.N(254))).String()
	ports = make(map[string]int, len(names))
	for _, name := range names {
		// Open until all are known, or else two could get the same number.
		listener, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
		if err != nil {
			return "", nil, err
		}
		defer listener.Close()
		ports[name] = listener.Addr().(*net.TCPAddr).Port
	}
	return host, ports, nil
}

// service is the folder of an instance's service.
func (s *simulator) service(r *record) string { return filepath.Join(s.instances(), r.ID) }

// spec is what an instance runs. The caller holds the lock.
func (s *simulator) spec(r *record, artifacts []string) (supervise.Spec, error) {
	var service cloud.Service
	if err := json.Unmarshal([]byte(r.UserData), &service); err != nil {
		return supervise.Spec{}, fmt.Errorf("user data: %w", err)
	}
	spec := supervise.Spec{
		Name: r.Name, Command: service.Command, Environment: service.Environment, Files: service.Files, Artifacts: map[string]string{},
		Lifetime: supervise.Lifetime(service.Lifetime), StopSignal: service.StopSignal, Grace: seconds(service.Grace),
		Limits: supervise.Limits{MemoryBytes: service.Memory}, Logs: service.Logs, ExpiresAt: service.ExpiresAt,
		Readiness: supervise.Readiness{Log: service.Readiness.Log, Timeout: seconds(service.Readiness.Timeout)},
	}
	for link, artifact := range service.Artifacts {
		var err error
		if spec.Artifacts[link], err = findArtifact(artifacts, artifact); err != nil {
			return spec, err
		}
	}
	if port := service.Readiness.Port; port != "" {
		address := s.records[r.DependsOn[0]]
		if address.Ports[port] == 0 {
			return spec, fmt.Errorf("readiness: %s has no port %q", address.ID, port)
		}
		spec.Readiness.Host, spec.Readiness.Port = address.Host, address.Ports[port]
	}
	return spec, nil
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// findArtifact returns where an artifact, name@version, lies.
func findArtifact(folders []string, artifact string) (string, error) {
	name, version, _ := strings.Cut(artifact, "@")
	for _, folder := range folders {
		found := filepath.Join(folder, name, version)
		if _, err := os.Stat(found); err == nil {
			return found, nil
		}
	}
	return "", fmt.Errorf("the artifact %s is not in %q", artifact, folders)
}

// start runs the service of a new instance, and notes when it is ready or why it
// will never be.
func (s *simulator) start(life context.Context, r *record, wanted cloud.Creation) {
	sleep(life, time.Until(r.ReadyAt))
	process, err := s.launch(life, r, wanted)
	if process == nil && err == nil {
		return // it was deleted meanwhile
	}
	if err == nil {
		err = process.WaitReady(life)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.State != cloud.Pending || life.Err() != nil {
		return
	}
	r.State = cloud.Ready
	if err != nil {
		r.State, r.Reason = cloud.Failed, err.Error()
	}
	if err := s.save(r); err != nil {
		r.State, r.Reason = cloud.Failed, err.Error()
	}
}

// launch starts the service of an instance, unless the instance is being deleted.
func (s *simulator) launch(life context.Context, r *record, wanted cloud.Creation) (*supervise.Process, error) {
	r.starting.Lock()
	defer r.starting.Unlock()
	s.mu.Lock()
	spec, err := s.spec(r, wanted.Artifacts)
	state := r.State
	s.mu.Unlock()
	if err != nil || state != cloud.Pending || life.Err() != nil {
		return nil, err
	}
	return supervise.Start(life, s.service(r), spec, supervise.Secrets{Files: wanted.Secrets})
}

// stop ends the service of an instance and removes its folder. One that never
// ran is no error.
func (s *simulator) stop(ctx context.Context, r *record) error {
	r.starting.Lock()
	defer r.starting.Unlock()
	process, err := supervise.Open(s.service(r))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	if err := process.Stop(ctx); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return process.Remove()
}

// stopAll ends the services of all instances, at the end of the cloud.
func (s *simulator) stopAll(ctx context.Context) error {
	var group errgroup.Group
	s.mu.Lock()
	for _, r := range s.records {
		if r.Kind == cloud.KindInstance && r.exists() {
			group.Go(func() error { return s.stop(ctx, r) })
		}
	}
	s.mu.Unlock()
	if err := group.Wait(); err != nil {
		return fmt.Errorf("stop what the cloud runs: %w", err)
	}
	return nil
}

// health is how an instance that was ready is now.
func (s *simulator) health(r *record) (cloud.State, string) {
	process, err := supervise.Open(s.service(r))
	if err == nil {
		var healthy bool
		if healthy, err = process.Healthy(); healthy {
			return cloud.Ready, ""
		}
	}
	if err != nil {
		return cloud.Failed, err.Error()
	}
	return cloud.Failed, process.Ended(r.Name).Error()
}
