package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"dec.local/dec/internal/api"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/measure"
	"dec.local/dec/internal/rendezvous"
	"dec.local/dec/internal/rendezvous/buckettest"
)

// bucket opens a part of the bucket that belongs to this test alone.
func (s *storage) bucket(t testing.TB, prefix string) *rendezvous.Bucket {
	t.Helper()
	b, err := rendezvous.OpenBucketWith(t.Context(), s.url(prefix), rendezvous.BucketOptions{Credentials: json.RawMessage(buckettest.Keys)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

// left are the objects of a part of the bucket.
func (s *storage) left(t testing.TB, prefix string) []string {
	t.Helper()
	left, err := s.bucket(t, prefix).Keys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return left
}

// TestSuiteOnARealS3 is the suite of the bucket protocol on moto.
func TestSuiteOnARealS3(t *testing.T) {
	t.Parallel()
	s := newStorage(t)
	n := 0
	buckettest.Run(t, func(t testing.TB) *rendezvous.Bucket {
		n++
		return s.bucket(t, fmt.Sprint("part", n))
	})
}

// during is a plan of one run that is measured so long; %s is the time.
const during = `
name: with a bucket on S3
workload:
  load: {rate: 300}
  message: {size: 256}
  stages: {warmup: 1s, measure: %s, drain: 10s}
variants:
` + natsVariant + `repeat: 1
`

// TestServerWithItsBucketOnS3 takes a run through its life, looks for the
// credentials everywhere, reads result and logs by another server, and removes all.
func TestServerWithItsBucketOnS3(t *testing.T) {
	t.Parallel()
	storage := newStorage(t)
	c := newCanary()
	w := newInstallation(t)
	w.env = keys(c.text)
	s := w.serve("--bucket", storage.url("team/dec"))
	id := s.post(fmt.Sprintf(during, "8s") + once)
	run := s.awaitPhase(id, experiment.PhaseLoad)
	t.Run("while it runs", func(t *testing.T) {
		commandLines(t, c)
		s.answers(t, c, id, run)
		holders := w.holders(c)
		for path, mode := range holders {
			if mode.Perm() != 0o600 || filepath.Base(path) != "bucket.json" || !strings.HasPrefix(path, filepath.Join(w.dir, "ledger", "processes", run)) {
				t.Errorf("%s (%v) has the secret key; only bucket.json of the agents with mode 0600 may", path, mode)
			}
		}
		if len(holders) != 2 {
			t.Errorf("the secret key is in %v, want it with both agents", holders)
		}
	})
	e := s.awaitEnd(id)
	if e.Runs.Succeeded < 1 || e.Runs.Failed > 0 {
		t.Errorf("the experiment = %+v, want its run succeeded\n%s", e.Runs, s.lines.text())
	}
	if out := s.stop(syscall.SIGTERM); out.code != 0 {
		t.Errorf("the server ends with exit code %d\n%s", out.code, out.stderr)
	}
	if staged, _ := filepath.Glob(filepath.Join(w.data(), "staging", "*")); len(staged) > 0 { // the pattern is right
		t.Errorf("%q is still staged", staged)
	}

	s = w.serve("--bucket", storage.url("team/dec"))
	result, seconds := get[measure.Result](s, "/runs/"+run+"/result"), get[api.Timeline](s, "/runs/"+run+"/timeline").Seconds
	if n := result.Counts; n.Sent < 2000 || n.Received != n.Sent || n.Lost != 0 || len(seconds) < 9 {
		t.Errorf("result = %+v with %d seconds, want all messages received and 9 seconds", n, len(seconds))
	}
	log := get[api.Log](s, "/runs/"+run+"/log?limit=5000")
	for _, source := range []string{"consumer-0", "dec", "events", "producer-0", "server-0"} {
		if !slices.Contains(log.Sources, source) {
			t.Errorf("the log has the sources %q, want %s among them", log.Sources, source)
		}
	}
	if !slices.ContainsFunc(log.Sources, func(s string) bool { return strings.HasPrefix(s, "tofu ") }) {
		t.Errorf("the log has the sources %q, want OpenTofu among them", log.Sources)
	}
	s.answers(t, c, id, run)
	for path := range w.holders(c) {
		t.Errorf("%s still has the secret key", path)
	}
	for _, key := range storage.left(t, "team/dec") {
		if !strings.HasPrefix(key, "runs/r") {
			t.Errorf("the bucket has %s", key)
		}
	}
	if status, body := s.call("DELETE", api.Prefix+"/experiments/"+id, "", nil); status != http.StatusNoContent {
		t.Errorf("DELETE = %d %s", status, body)
	}
	if left := storage.left(t, ""); len(left) > 0 {
		t.Errorf("the bucket still has %q", left)
	}
	out := s.stop(syscall.SIGTERM)
	c.absent(t, "the output of the server", out.stdout+out.stderr)
	w.assertNothingLeft()
}

// TestBucketIsLostInMidRun wants that the run fails with the reason, and is clean.
func TestBucketIsLostInMidRun(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		happens func(*storage)
		want    string
	}{
		"the bucket is removed": {(*storage).removeBucket, "does not exist; create it"},
		"the key is taken back": {func(s *storage) { s.refuse("InvalidAccessKeyId") }, "does not know the access key; check AWS_ACCESS_KEY_ID"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storage := newStorage(t)
			w := newInstallation(t)
			w.env = keys("secret")
			p := w.start("run", w.file(fmt.Sprintf(during, "60s")), "--json", "--bucket", storage.url(""))
			p.awaitLine("measure ")
			tt.happens(storage)
			p.awaitLine("destroy")
			out := p.wait() // the extra runs fail as soon as they want to meet
			first := out.report(t).Runs[0]
			t.Logf("the reason: %s", first.Reason)
			if first.Outcome != experiment.Failed || !strings.Contains(first.Reason, tt.want) || first.Teardown != experiment.TeardownClean {
				t.Errorf("run = %s, %s: %s, want failed and clean, with %q", first.Outcome, first.Teardown, first.Reason, tt.want)
			}
			w.assertNothingLeft()
		})
	}
}

// TestBucketIsUnavailableForAWhile shuts the gate for 30 s of a load.
func TestBucketIsUnavailableForAWhile(t *testing.T) {
	t.Parallel()
	storage := newStorage(t)
	w := newInstallation(t)
	w.env = keys("secret")
	s := w.serve("--bucket", storage.url(""))
	id := s.post(fmt.Sprintf(during, "45s") + once)
	run := s.awaitPhase(id, experiment.PhaseLoad)
	s.follow("after=0&run="+run, func(e streamed) bool { return e.event != api.EventSnapshot })
	storage.shut()
	time.AfterFunc(30*time.Second, func() { storage.open(storage.gate) })
	s.follow("after=0&run="+run, func(e streamed) bool {
		return e.event != api.EventStored || e.stored(t).Kind != experiment.EventOutcome
	})
	result, seconds := get[measure.Result](s, "/runs/"+run+"/result"), get[api.Timeline](s, "/runs/"+run+"/timeline").Seconds
	if n := result.Counts; n.Sent < 44*300 || n.Received != n.Sent || n.Lost != 0 || len(seconds) < 46 {
		t.Errorf("result = %+v with %d seconds, want all messages of 45 s and 46 seconds\n%s", n, len(seconds), s.lines.text())
	}
	s.stop(syscall.SIGTERM)
	w.assertNothingLeft()
}

// TestStartWantsABucket wants a clear message and that nothing is started.
func TestStartWantsABucket(t *testing.T) {
	t.Parallel()
	storage := newStorage(t)
	w := newInstallation(t)
	tests := map[string]struct {
		env    []string
		bucket string
		want   string
	}{
		"no such bucket":     {keys("secret"), strings.Replace(storage.url(""), "results", "resultz", 1), "the bucket resultz at http://" + storage.gate + " does not exist; create it"},
		"nobody listens":     {keys("secret"), "s3://results?region=us-east-1&endpoint=http://127.0.0.1:1", "does not answer; check the endpoint"},
		"no credentials":     {[]string{"AWS_EC2_METADATA_DISABLED=true"}, storage.url(""), "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"},
		"a key in the URL":   {nil, "s3://AKIA:verysecret@results", "remove them and set AWS_ACCESS_KEY_ID"},
		"no region":          {keys("secret"), "s3://results", "add ?region="},
		"another parameter":  {keys("secret"), "s3://results?regoin=a", `unknown parameter "regoin"`},
		"no folder to write": {nil, "/proc/dec", "/proc/dec"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w.env = tt.env
			for _, command := range [][]string{{"serve", "--listen", "127.0.0.1:0"}, {"run", w.file(tinyPlan("tiny"))}} {
				out := w.dec(append(command, "--bucket", tt.bucket)...)
				if out.code != 1 || !strings.Contains(out.stderr, tt.want) || strings.Contains(out.stderr, "verysecret") {
					t.Errorf("dec %s = exit %d, %q, want exit 1 and %q", command[0], out.code, out.stderr, tt.want)
				}
			}
			out := w.dec("doctor", "--bucket", tt.bucket)
			if out.code != 1 || !strings.Contains(out.stdout, tt.want) {
				t.Errorf("dec doctor = exit %d, %s, want exit 1 and %q", out.code, out.stdout, tt.want)
			}
		})
	}
	w.env = keys("secret")
	if out := w.dec("doctor", "--bucket", storage.url("team")); out.code != 0 || !strings.Contains(out.stdout, "objects can be written once") {
		t.Errorf("dec doctor = exit %d\n%s", out.code, out.stdout)
	}
	storage.refuse("SignatureDoesNotMatch")
	if out := w.dec("serve", "--listen", "127.0.0.1:0", "--bucket", storage.url("")); out.code != 1 || !strings.Contains(out.stderr, "the secret key is wrong") {
		t.Errorf("dec serve with a wrong key = exit %d, %q", out.code, out.stderr)
	}
	w.env = nil
	w.assertNothingLeft()
}
