package evidence

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/measure"
	"dec.local/dec/internal/rendezvous"
)

// Pack prepares one file, a zip archive, with everything that is stored of a run
// which has ended, so that it can be understood without a server. It returns the
// name of the file without its ending, and what writes it. What can't be read is
// told before the first byte: [experiment.ErrUnavailable] when the bucket does not answer,
// [experiment.ErrNotEnded] for a run that goes on.
func (f *Reader) Pack(ctx context.Context, id string) (name string, write func(context.Context, io.Writer) error, err error) {
	run, err := f.store.Run(ctx, id)
	if err != nil {
		return "", nil, err
	}
	if run.Phase != experiment.PhaseEnded {
		return "", nil, fmt.Errorf("run %s %w; it is in phase %s", id, experiment.ErrNotEnded, run.Phase)
	}
	p := &pack{reader: f, run: run}
	if err := p.read(ctx); err != nil {
		return "", nil, err
	}
	return p.folder(), p.write, nil
}

// pack is the archive of one run.
type pack struct {
	reader *Reader
	run    experiment.Run
	of     experiment.Experiment
	name   string // of the run, such as "kafka #3"
	// program stood for the technology, as its driver told; "" where none did, or
	// where nothing was measured.
	program string
	files   map[string][]byte // by name
	logs    []string          // names in the bucket, or below what is staged
	staged  map[string]string // path of those that are not in the bucket yet
}

// read gathers all but the logs, which are only listed.
func (p *pack) read(ctx context.Context) (err error) {
	if p.of, err = p.reader.store.Experiment(ctx, p.run.Experiment); err != nil {
		return err
	}
	siblings, err := p.reader.store.Runs(ctx, p.run.Experiment)
	if err != nil {
		return err
	}
	p.name = p.of.Plan.RunNames(siblings)[p.run.ID]
	p.files = map[string][]byte{}
	if err := p.addStored(ctx); err != nil {
		return err
	}
	if err := p.addMeasured(ctx); err != nil {
		return err
	}
	return p.listLogs(ctx)
}

// addStored adds what the database has beside the result.
func (p *pack) addStored(ctx context.Context) error {
	events, err := p.reader.events(ctx, p.run.ID)
	if err != nil {
		return err
	}
	var lines bytes.Buffer
	encoder := json.NewEncoder(&lines)
	for _, event := range events {
		if err := encoder.Encode(event); err != nil {
			return fmt.Errorf("pack the events of run %s: %w", p.run.ID, err)
		}
	}
	p.files["events.jsonl"] = lines.Bytes()
	bare := p.run
	bare.Result, bare.Receipt = nil, nil
	if p.run.Receipt != nil {
		if err := p.add("receipt.json", p.run.Receipt); err != nil {
			return err
		}
	}
	return errors.Join(p.add("run.json", bare), p.add("plan.json", p.of.Plan))
}

// addMeasured adds what the run measured, if anything was collected: the same bytes
// as in the bucket.
func (p *pack) addMeasured(ctx context.Context) error {
	if len(p.run.Result) == 0 {
		return nil
	}
	m, err := measure.ReadMerged(p.run.Result)
	if err != nil {
		return fmt.Errorf("pack run %s: %w", p.run.ID, err)
	}
	result := []byte(p.run.Result)
	if m.Timeline != nil { // an earlier version stored everything inside
		if result, err = json.Marshal(m.Result); err != nil {
			return fmt.Errorf("pack run %s: %w", p.run.ID, err)
		}
	}
	timeline, err := p.reader.KeptTimeline(ctx, p.run)
	if err != nil {
		return err
	}
	histograms, err := p.reader.KeptHistograms(ctx, p.run)
	if err != nil {
		return err
	}
	p.files["result.json"] = result
	if p.files["timeline.json"], err = json.Marshal(timeline); err != nil {
		return fmt.Errorf("pack run %s: %w", p.run.ID, err)
	}
	if p.files["histograms.json"], err = json.Marshal(histograms); err != nil {
		return fmt.Errorf("pack run %s: %w", p.run.ID, err)
	}
	if len(m.Guarantees) == 0 {
		return nil
	}
	var told struct {
		Emulator string `json:"emulator"`
	}
	if err := json.Unmarshal(m.Guarantees, &told); err != nil {
		return fmt.Errorf("read the guarantees of run %s: %w", p.run.ID, err)
	}
	p.program = told.Emulator
	return p.add("guarantees.json", m.Guarantees)
}

// add adds a file for people to read.
func (p *pack) add(name string, v any) error {
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("pack %s of run %s: %w", name, p.run.ID, err)
	}
	p.files[name] = append(data, '\n')
	return nil
}

// listLogs finds what the processes of the run wrote, and the server about it:
// what is staged first, because it is put into the bucket and then removed.
func (p *pack) listLogs(ctx context.Context) error {
	h, seen, err := p.reader.HomeOf(ctx, p.run.ID)
	if err != nil {
		return err
	}
	if seen {
		if p.staged, err = stagedFiles(h.Staged(p.run.ID)); err != nil {
			return err
		}
	}
	names := maps.Clone(p.staged)
	if names == nil {
		names = map[string]string{}
	}
	listed, err := p.listBucket(ctx)
	if err != nil {
		return fmt.Errorf("the logs of run %s %w: %w", p.run.ID, experiment.ErrUnavailable, err)
	}
	for _, o := range listed {
		names[o.Name] = ""
	}
	p.logs = slices.Sorted(maps.Keys(names))
	return nil
}

// listBucket lists the logs that are in the bucket.
func (p *pack) listBucket(ctx context.Context) ([]rendezvous.Object, error) {
	ctx, cancel := context.WithTimeout(ctx, bucketTime)
	defer cancel()
	bucket, release, err := p.reader.BucketOf(ctx, p.run.ID)
	if err != nil {
		return nil, err
	}
	defer release()
	var all []rendezvous.Object
	for _, under := range logFolders {
		list, err := rendezvous.NewFolder(bucket, p.run.ID).List(ctx, under)
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
	}
	return all, nil
}

// folder is the name of the folder that holds everything: "kafka-3-r0123456789".
func (p *pack) folder() string {
	slug := strings.FieldsFunc(strings.ToLower(p.name), func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') })
	return strings.Join(append(slug, p.run.ID), "-")
}

// write writes the archive.
func (p *pack) write(ctx context.Context, w io.Writer) error {
	archive := zip.NewWriter(w)
	put := func(name string, from io.Reader) error {
		to, err := archive.CreateHeader(&zip.FileHeader{Name: p.folder() + "/" + name, Method: zip.Deflate, Modified: p.run.EndedAt})
		if err == nil {
			_, err = io.Copy(to, from)
		}
		if err != nil {
			return fmt.Errorf("pack %s of run %s: %w", name, p.run.ID, err)
		}
		return nil
	}
	if err := put("README.md", strings.NewReader(p.readme())); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(p.files)) {
		if err := put(name, bytes.NewReader(p.files[name])); err != nil {
			return err
		}
	}
	for _, name := range p.logs {
		log, err := p.openLog(ctx, name)
		if err != nil {
			return fmt.Errorf("pack the logs of run %s: %w", p.run.ID, err)
		}
		if err := errors.Join(put("logs/"+name, log), log.Close()); err != nil {
			return err
		}
	}
	if err := archive.Close(); err != nil {
		return fmt.Errorf("pack run %s: %w", p.run.ID, err)
	}
	return nil
}

// openLog opens a log where it lies now.
func (p *pack) openLog(ctx context.Context, name string) (io.ReadCloser, error) {
	if path, ok := p.staged[name]; ok {
		file, err := os.Open(path)
		if !errors.Is(err, fs.ErrNotExist) {
			return file, err
		} // else it has just been put into the bucket
	}
	bucket, release, err := p.reader.BucketOf(ctx, p.run.ID)
	if err != nil {
		return nil, err
	}
	object, err := rendezvous.NewFolder(bucket, p.run.ID).Open(ctx, name)
	if err != nil {
		release()
		return nil, err
	}
	return releasing{object, release}, nil
}

// releasing is an object that releases its bucket when it is closed.
type releasing struct {
	io.ReadCloser
	release func()
}

func (r releasing) Close() error {
	defer r.release()
	return r.ReadCloser.Close()
}
