package rendezvous_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"dec.local/dec/internal/rendezvous"
	"dec.local/dec/internal/rendezvous/buckettest"
)

// TestWhatPassesIsTriedAgain lets the first two requests fail.
func TestWhatPassesIsTriedAgain(t *testing.T) {
	tests := map[string]buckettest.Faults{
		"no connection":                {Refused: true},
		"the answer is lost":           {Lost: true},
		"no answer in time":            {Latency: time.Hour},
		"the server is busy":           {Status: http.StatusServiceUnavailable, Code: "SlowDown"},
		"the server has failed":        {Status: http.StatusInternalServerError, Code: "InternalError"},
		"too many requests":            {Status: http.StatusTooManyRequests, Code: "TooManyRequests"},
		"the request came too slow":    {Status: http.StatusBadRequest, Code: "RequestTimeout"},
		"another write is under way":   {Status: http.StatusConflict, Code: "ConditionalRequestConflict"},
		"a proxy that is no S3 at all": {Status: http.StatusBadGateway},
	}
	for name, faults := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := buckettest.NewServer(t)
				folder := rendezvous.NewFolder(s.Open(t, ""), "r1")
				spoil := func() {
					n := 0
					s.SetEach(func(*http.Request) buckettest.Faults {
						if n++; n <= 2 {
							return faults
						}
						return buckettest.Faults{}
					})
				}
				spoil()
				if err := folder.Put(t.Context(), "a.json", "x"); err != nil {
					t.Errorf("Put() = %v", err)
				}
				spoil()
				var got string
				if err := folder.Get(t.Context(), "a.json", &got); err != nil || got != "x" {
					t.Errorf("Get() = %q, %v", got, err)
				}
				spoil()
				if err := folder.Put(t.Context(), "a.json", "y"); !errors.Is(err, rendezvous.ErrExists) {
					t.Errorf("Put() of another = %v, want %v", err, rendezvous.ErrExists)
				}
			})
		})
	}
}

// TestWhatDoesNotPassIsSaidAtOnce wants one request and the next step.
func TestWhatDoesNotPassIsSaidAtOnce(t *testing.T) {
	tests := map[string]struct {
		status int
		code   string
		want   string
	}{
		"no right":             {403, "AccessDenied", "denies access; the credentials need s3:ListBucket"},
		"an unknown key":       {403, "InvalidAccessKeyId", "check AWS_ACCESS_KEY_ID"},
		"a wrong secret":       {403, "SignatureDoesNotMatch", "check AWS_SECRET_ACCESS_KEY"},
		"an expired token":     {400, "ExpiredToken", "must be valid for longer than limits.ttl"},
		"no such bucket":       {404, "NoSuchBucket", "the bucket results at http://s3.test does not exist; create it"},
		"another region":       {301, "PermanentRedirect", "?region="},
		"the clock":            {403, "RequestTimeTooSkewed", "clock"},
		"a refusal of its own": {403, "Whatever", "denies access"},
		"anything else":        {400, "Nonsense", "answers 400 Nonsense"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := buckettest.NewServer(t)
			folder := rendezvous.NewFolder(s.Open(t, ""), "r1")
			s.Set(buckettest.Faults{Status: tt.status, Code: tt.code})
			var got int
			found, err := folder.Find(t.Context(), "a.json", &got)
			if found || err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Find() = %t, %v, want %q", found, err, tt.want)
			}
			if err := folder.Put(t.Context(), "a.json", 1); err == nil || errors.Is(err, rendezvous.ErrExists) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Put() = %v, want %q", err, tt.want)
			}
			if calls := s.Calls(); calls != 2 {
				t.Errorf("%d requests were made, want 2", calls)
			}
		})
	}
}

func TestABucketThatStaysUnavailableIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := buckettest.NewServer(t)
		folder := rendezvous.NewFolder(s.Open(t, ""), "r1")
		s.Set(buckettest.Faults{Refused: true})
		began := time.Now()
		var got int
		_, err := folder.Find(t.Context(), "a.json", &got)
		if want := "gave up after 2m0s: the bucket results at http://s3.test does not answer; check the endpoint and the network (dial tcp 127.0.0.1:9000: connect: connection refused)"; err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("Find() = %v, want %q", err, want)
		}
		if took := time.Since(began); took < 2*time.Minute || took > 125*time.Second {
			t.Errorf("Find() took %s, want 2 min", took)
		}
		if calls := s.Calls(); calls < 40 || calls > 100 {
			t.Errorf("%d requests were made in 2 min, want one every 2 to 3 s", calls)
		}
	})
}

func TestCheckTellsTheNextStep(t *testing.T) {
	tests := map[string]struct {
		faults func(*buckettest.Server)
		want   string
	}{
		"no server":     {func(s *buckettest.Server) { s.Set(buckettest.Faults{Refused: true}) }, "does not answer; check the endpoint"},
		"a wrong key":   {func(s *buckettest.Server) { s.Set(buckettest.Faults{Status: 403, Code: "SignatureDoesNotMatch"}) }, "the secret key is wrong"},
		"no bucket":     {func(s *buckettest.Server) { s.RemoveBucket(t) }, "does not exist; create it"},
		"may not write": {only(http.MethodPut), "denies access"},
		"may not read":  {only(http.MethodGet), "denies access"},
		"may not know what is not there": {func(s *buckettest.Server) {
			s.SetEach(func(r *http.Request) buckettest.Faults {
				if strings.HasSuffix(r.URL.Path, "-not") {
					return buckettest.Faults{Status: 403, Code: "AccessDenied"}
				}
				return buckettest.Faults{}
			})
		}, "S3 requires the permission s3:ListBucket"},
		"may not erase": {only(http.MethodDelete), "denies access"},
		"overwrites": {func(s *buckettest.Server) {
			s.SetEach(func(r *http.Request) buckettest.Faults { r.Header.Del("If-None-Match"); return buckettest.Faults{} })
		}, "does not support If-None-Match"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := buckettest.NewServer(t)
				b := s.Open(t, "team")
				tt.faults(s)
				began := time.Now()
				if err := b.Check(t.Context()); err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("Check() = %v, want %q", err, tt.want)
				}
				if took := time.Since(began); took > 6*time.Second {
					t.Errorf("Check() took %s, want 5 s at most", took)
				}
			})
		})
	}
}

// only refuses the requests of one method.
func only(method string) func(*buckettest.Server) {
	return func(s *buckettest.Server) {
		s.SetEach(func(r *http.Request) buckettest.Faults {
			if r.Method == method {
				return buckettest.Faults{Status: 403, Code: "AccessDenied"}
			}
			return buckettest.Faults{}
		})
	}
}

func TestCredentialsAreHandedOver(t *testing.T) {
	s := buckettest.NewServer(t)
	b := s.Open(t, "")
	got, until, err := b.Credentials(t.Context())
	if want := `{"access_key_id":"AKIATEST","secret_access_key":"secret"}`; string(got) != want || err != nil || !until.IsZero() {
		t.Errorf("Credentials() = %s, %v, %v, want %s", got, until, err, want)
	}
	if got, _, err := buckettest.Folder(t).Credentials(t.Context()); got != nil || err != nil {
		t.Errorf("Credentials() of a folder = %s, %v, want none", got, err)
	}
	for name, given := range map[string]string{"not JSON": `canary`, "another object": `{"canary": 1}`, "no secret": `{"access_key_id": "canary"}`} {
		_, err := rendezvous.OpenBucketWith(t.Context(), buckettest.URL(""), rendezvous.BucketOptions{Credentials: json.RawMessage(given), Transport: s})
		if err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: OpenBucketWith() = %v, want an error that does not repeat what was given", name, err)
		}
	}
}

func TestTheEnvironmentSaysTheRest(t *testing.T) {
	none := t.TempDir() + "/none"
	for name, value := range map[string]string{
		"AWS_REGION": "eu-north-1", "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9", "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "canary",
		"AWS_SESSION_TOKEN": "token", "AWS_CONFIG_FILE": none, "AWS_SHARED_CREDENTIALS_FILE": none,
	} {
		t.Setenv(name, value)
	}
	b, err := rendezvous.OpenBucket(t.Context(), "s3://results/team")
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if got, want := b.URL(), "s3://results/team?endpoint=http%3A%2F%2F127.0.0.1%3A9&region=eu-north-1"; got != want {
		t.Errorf("URL() = %s, want %s: agents do not have the environment", got, want)
	}
	have, _, err := b.Credentials(t.Context())
	var c rendezvous.Credentials
	if json.Unmarshal(have, &c) != nil || err != nil || c.AccessKeyID != "key" || c.SecretAccessKey != "canary" || c.SessionToken != "token" {
		t.Errorf("Credentials() = %s, %v, want those of the environment", have, err)
	}
	for _, name := range []string{"AWS_REGION", "AWS_ENDPOINT_URL_S3"} {
		t.Setenv(name, "")
	}
	if _, err := rendezvous.OpenBucket(t.Context(), "s3://results"); err == nil || !strings.Contains(err.Error(), "AWS_REGION") {
		t.Errorf("OpenBucket() without a region = %v, want a word on AWS_REGION", err)
	}
}

func TestObjectsLieBelowThePrefix(t *testing.T) {
	s := buckettest.NewServer(t)
	if err := rendezvous.NewFolder(s.Open(t, "team/dec"), "r1").Put(t.Context(), "plan.json", 1); err != nil {
		t.Fatal(err)
	}
	keys, err := s.Open(t, "").Keys(t.Context())
	if want := []string{"team/dec/runs/r1/1/plan.json"}; err != nil || !slices.Equal(keys, want) {
		t.Errorf("Keys() = %q, %v, want %q", keys, err, want)
	}
}
