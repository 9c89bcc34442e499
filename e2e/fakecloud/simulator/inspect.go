package simulator

import (
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"dec.local/dec/e2e/fakecloud/cloud"
	"dec.local/dec/internal/supervise"
)

// process is the service of the instance that a call is about.
func (s *simulator) process(c *call) (*supervise.Process, error) {
	s.mu.Lock()
	r, err := s.find(cloud.ActionRead, c.request.PathValue("id"))
	s.mu.Unlock()
	if err != nil {
		return nil, err
	}
	process, err := supervise.Open(s.service(r))
	if err != nil {
		return nil, refuse(cloud.CodeNotFound, "nothing of %s runs", r.ID)
	}
	return process, nil
}

// usage tells what the service of an instance has used.
func (s *simulator) usage(c *call) (int, any, error) {
	var window [2]time.Time
	for i, name := range []string{"from", "until"} {
		var err error
		if window[i], err = time.Parse(time.RFC3339Nano, c.request.URL.Query().Get(name)); err != nil {
			return 0, nil, refuse(cloud.CodeInvalid, "%s is no time", name)
		}
	}
	process, err := s.process(c)
	if err != nil {
		return 0, nil, err
	}
	cpu, rss, err := process.UsageBetween(window[0], window[1])
	return http.StatusOK, cloud.Usage{CPUSeconds: cpu, MaxRSSBytes: rss}, err
}

// logNames are the logs that a service has.
var logNames = []string{"stderr.log", "stdout.log", "supervisor.log"}

// logs lists the logs of the service of an instance.
func (s *simulator) logs(c *call) (int, any, error) {
	process, err := s.process(c)
	if err != nil {
		return 0, nil, err
	}
	logs := []cloud.LogFile{}
	for _, name := range logNames {
		if info, err := os.Stat(filepath.Join(process.Folder(), name)); err == nil {
			logs = append(logs, cloud.LogFile{Name: name, Size: info.Size()})
		}
	}
	return http.StatusOK, logs, nil
}

// logEnd shows the end of a log.
func (s *simulator) logEnd(c *call) (int, any, error) {
	name := c.request.PathValue("name")
	most, err := strconv.ParseInt(c.request.URL.Query().Get("most"), 10, 64)
	if err != nil || most < 0 || !slices.Contains(logNames, name) {
		return 0, nil, refuse(cloud.CodeInvalid, "%q is no log, or %q no size", name, c.request.URL.Query().Get("most"))
	}
	process, err := s.process(c)
	if err != nil {
		return 0, nil, err
	}
	file, err := os.Open(filepath.Join(process.Folder(), name))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil, refuse(cloud.CodeNotFound, "there is no log %q", name)
	} else if err != nil {
		return 0, nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return 0, nil, err
	}
	end, err := io.ReadAll(io.NewSectionReader(file, max(0, info.Size()-most), most))
	return http.StatusOK, end, err
}
