package server

import (
	"fmt"
	"log/slog"
	"os"

	"dec.local/dec/internal/evidence"
)

// maxLog is the size from which dec.log begins anew; one older file is kept.
const maxLog = 64 << 20

// openLog opens the server's own log, as JSON lines. What is said of a run also goes
// to the log of that run.
func (s *Server) openLog() (err error) {
	path := s.folders.Logs()
	if info, err := os.Stat(path); err == nil && info.Size() > maxLog {
		if err := os.Rename(path, path+".1"); err != nil {
			return fmt.Errorf("start a new log: %w", err)
		}
	}
	if s.log, err = os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600); err != nil {
		return fmt.Errorf("open the log: %w", err)
	}
	s.runLogs = evidence.NewRunLogs(s.folders.Home())
	handlers := []slog.Handler{slog.NewJSONHandler(s.log, nil), s.runLogs}
	if s.options.Log != nil {
		handlers = append(handlers, s.options.Log)
	}
	s.Logger = slog.New(slog.NewMultiHandler(handlers...))
	return nil
}
