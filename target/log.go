package target

import (
	"context"
	"io"
	"os"
	"path/filepath"
)

// FileLog is the log of a service that is a file of this machine.
func FileLog(service, path string) LogFile {
	log := LogFile{Service: service, Name: filepath.Base(path)}
	if info, err := os.Stat(path); err == nil {
		log.Size = info.Size()
	}
	log.ReadEnd = func(_ context.Context, most int64) ([]byte, error) { return readEnd(path, most) }
	return log
}

// readEnd reads the last bytes of a file, most at the most.
func readEnd(path string, most int64) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.NewSectionReader(file, max(0, info.Size()-most), most))
}
