package simulator

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"

	"golang.org/x/sync/errgroup"

	"dec.local/dec/e2e/fakecloud/cloud"
)

// Run is the life of a cloud, until ctx ends: it answers on a port of the
// loopback interface, and calls ready when it does. At its end it stops the
// services of all instances. The objects stay in the folder, for a cloud that is
// run there later; creates under way are lost.
func Run(ctx context.Context, o Options, ready func()) error {
	s, err := open(o)
	if err != nil {
		return fmt.Errorf("open the fake cloud: %w", err)
	}
	defer s.log.file.Close()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("open the fake cloud: %w", err)
	}
	s.endpoint.URL = "http://" + listener.Addr().String()
	if err := s.writeEndpoint(); err != nil {
		return errors.Join(err, listener.Close())
	}
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	s.resume(life)
	server := &http.Server{Handler: s.routes(life), ErrorLog: slog.NewLogLogger(slog.NewTextHandler(io.Discard, nil), slog.LevelError)}
	group := errgroup.Group{}
	group.Go(func() error {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	ready()
	<-ctx.Done()
	end() // held calls too
	err = server.Shutdown(context.WithoutCancel(ctx))
	s.work.Wait()
	return errors.Join(err, group.Wait(), s.stopAll(context.WithoutCancel(ctx)))
}

// open reads what there is in the folder of a cloud.
func open(o Options) (*simulator, error) {
	s := &simulator{
		folder:  o.Folder,
		records: make(map[string]*record),
		faults:  newFaults(o.Faults),
	}
	for _, folder := range []string{s.objects(), s.instances()} {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return nil, err
		}
	}
	var err error
	if s.endpoint, err = cloud.ReadEndpoint(s.folder); errors.Is(err, fs.ErrNotExist) {
		s.endpoint, err = cloud.Endpoint{Account: "account-" + rand.Text(), Admin: "admin-" + rand.Text()}, nil
	}
	if err != nil {
		return nil, err
	}
	if err := s.load(); err != nil {
		return nil, err
	}
	s.log, err = openLog(s.folder)
	return s, err
}

func (s *simulator) objects() string   { return filepath.Join(s.folder, "objects") }
func (s *simulator) instances() string { return filepath.Join(s.folder, "instances") }

func (s *simulator) writeEndpoint() error {
	data, err := json.Marshal(s.endpoint)
	if err != nil {
		return err
	}
	return writeWhole(cloud.EndpointPath(s.folder), data)
}

// writeWhole writes a file that no reader ever sees half of.
func writeWhole(path string, data []byte) error {
	file, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	_, err = file.Write(append(data, '\n'))
	if err = errors.Join(err, file.Close()); err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return nil
}
