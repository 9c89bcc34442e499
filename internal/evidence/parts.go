package evidence

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"dec.local/dec/internal/api"
	"dec.local/dec/internal/rendezvous"
	"dec.local/dec/target"
)

// logPart is the most that is read of one file, its end: a broker that went mad
// must not take the server's memory.
const logPart = 4 << 20

// logReads is how many files are read at once.
const logReads = 8

// logFolders are the parts of a run's folder in the bucket that hold logs.
var logFolders = []string{"dec/", "tofu/", "services/"}

// part is one file or object with lines of a run. Wherever it lies, it is known
// by the name that it has in the bucket at last.
type part struct {
	read func(context.Context) (string, error) // its end; fs.ErrNotExist when it has moved
	cut  bool                                  // the end is not the whole: the first line may be half
}

// written are the lines that processes have written, and the server about the
// run: where it is active those of its processes, later what was kept of them.
func (f *Reader) written(ctx context.Context, run string, ended bool) ([]timedLine, error) {
	for {
		parts, away, err := f.parts(ctx, run, ended)
		if err != nil {
			return nil, err
		}
		lines, err := readParts(ctx, parts)
		if errors.Is(err, fs.ErrNotExist) && ctx.Err() == nil {
			continue // it has just been put into the bucket
		}
		return append(lines, away...), err
	}
}

// parts finds what was written, and tells in a line of the log when the bucket
// does not answer.
func (f *Reader) parts(ctx context.Context, run string, ended bool) (map[string]part, []timedLine, error) {
	parts := map[string]part{}
	var away []timedLine
	if ended {
		err := f.inBucket(ctx, run, func(ctx context.Context, b *rendezvous.Bucket) error {
			return keptParts(ctx, rendezvous.NewFolder(b, run), parts)
		})
		if err != nil {
			now := time.Now().UTC()
			line := api.LogLine{At: now, Source: "dec", Level: "error", Text: "the rest of this log cannot be read: " + err.Error()}
			away = append(away, timedLine{sortAt: now, LogLine: line})
		}
	}
	h, seen, err := f.HomeOf(ctx, run)
	if err != nil || !seen {
		return parts, away, err
	}
	staged, err := stagedFiles(h.Staged(run))
	if err != nil {
		return nil, nil, err
	}
	for name, file := range staged {
		parts[name] = filePart(file)
	}
	for _, file := range glob(filepath.Join(h.Attempts(run), "*", "stdout.log")) {
		parts["tofu/"+filepath.Base(filepath.Dir(file))+".jsonl"] = filePart(file)
	}
	return parts, away, f.serviceParts(ctx, run, parts)
}

// serviceParts adds what services of a run write now, where the target shows it.
func (f *Reader) serviceParts(ctx context.Context, run string, parts map[string]part) error {
	r, err := f.store.Run(ctx, run)
	if err != nil {
		return err
	}
	logging, ok := f.places[r.Target].Place.(target.Logging)
	if !ok {
		return nil
	}
	logs, err := logging.Logs(ctx, run)
	if err != nil {
		return err
	}
	for _, log := range logs {
		parts["services/"+log.Service+"/"+log.Name] = logFilePart(log)
	}
	return nil
}

// keptParts adds what the bucket has of a run.
func keptParts(ctx context.Context, folder rendezvous.Folder, parts map[string]part) error {
	for _, under := range logFolders {
		list, err := folder.List(ctx, under)
		if err != nil {
			return err
		}
		for _, o := range list {
			parts[o.Name] = part{cut: o.Size > logPart, read: func(ctx context.Context) (string, error) {
				return folder.ReadEnd(ctx, o, logPart)
			}}
		}
	}
	return nil
}

// readParts reads the lines of all parts. Those whose names are not of a log are
// left out.
func readParts(ctx context.Context, parts map[string]part) ([]timedLine, error) {
	names := slices.DeleteFunc(slices.Sorted(maps.Keys(parts)), func(name string) bool { _, parse := sourceOf(name); return parse == nil })
	read := make([][]timedLine, len(names))
	ctx, cancel := context.WithTimeout(ctx, bucketTime)
	defer cancel()
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(logReads)
	for i, name := range names {
		g.Go(func() error {
			p := parts[name]
			text, err := p.read(ctx)
			if err != nil {
				return err
			}
			if p.cut {
				_, text, _ = strings.Cut(text, "\n")
			}
			source, parse := sourceOf(name)
			read[i] = parseLog(source, text, parse)
			return nil
		})
	}
	err := g.Wait()
	return slices.Concat(read...), err
}

// sourceOf is the source of the part with this name, and how its lines are read;
// nil for what is no log.
func sourceOf(name string) (source string, parse func(string) api.LogLine) {
	folder, file := path.Split(name)
	switch {
	case name == openLog || folder == "dec/":
		return "dec", parseDEC
	case folder == "tofu/" && strings.HasSuffix(file, ".jsonl") && isJournal(strings.TrimSuffix(file, ".jsonl")):
		number, verb, _ := strings.Cut(strings.TrimSuffix(file, ".jsonl"), "-")
		return "tofu " + strings.TrimLeft(number, "0") + " " + verb, parseTofu
	case strings.HasPrefix(folder, "services/") && strings.HasSuffix(file, ".log"):
		return path.Base(folder), parseService
	}
	return "", nil
}

// glob returns the files of a pattern in order; the pattern is never wrong.
func glob(pattern string) []string {
	paths, _ := filepath.Glob(pattern)
	return paths
}

// filePart is a file of this machine.
func filePart(name string) part { return logFilePart(target.FileLog("", name)) }

// logFilePart is a log of a service.
func logFilePart(log target.LogFile) part {
	return part{cut: log.Size > logPart, read: func(ctx context.Context) (string, error) {
		end, err := log.ReadEnd(ctx, logPart)
		return string(end), err
	}}
}
