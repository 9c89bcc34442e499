package httpapi_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"dec.local/dec/internal/httpapi"
)

// script is a file that compresses well.
var script = strings.Repeat("export const answer = 42;\n", 100)

// withPage serves a page to those who are not signed in.
func withPage(t *testing.T) *fixture {
	t.Helper()
	w := newFixture(t, func(o *httpapi.Options) {
		o.UI = fstest.MapFS{
			"index.html":    {Data: []byte(`<meta property="csp-nonce" nonce="{{nonce}}">`)},
			"assets/a.js":   {Data: []byte(script)},
			"assets/b.js":   {Data: []byte("1")}, // compressed it would be longer
			"assets/c.none": {Data: []byte("\x89PNG\r\n\x1a\n" + script)},
			"theme.js":      {Data: []byte(script)},
		}
	})
	w.token = ""
	return w
}

func TestFilesOfThePageAreCompressedForThoseWhoTakeIt(t *testing.T) {
	w := withPage(t)
	for accepts, want := range map[string]bool{
		"gzip": true, "gzip, deflate, br, zstd": true, "br;q=1.0, GZIP;q=0.5": true, "*": true, "br, *;q=0.1": true,
		"": false, "identity": false, "br": false, "gzip;q=0": false, "gzip; q=0.0, *": false, "*;q=0": false, "*, gzip;q=0": false, "gzip;q=x": false,
	} {
		a := w.call("GET", "/assets/a.js", "", "Accept-Encoding", accepts).is(200)
		content := a.body
		if got := a.header.Get("Content-Encoding") == "gzip"; got != want {
			t.Errorf("who accepts %q gets it compressed: %t, want %t", accepts, got, want)
			continue
		}
		if want {
			content = unpack(t, content)
		}
		if string(content) != script || want == (len(a.body) == len(script)) {
			t.Errorf("who accepts %q gets other content", accepts)
		}
		got := []string{a.header.Get("Vary"), a.header.Get("Content-Type"), a.header.Get("Cache-Control")}
		if diff := cmp.Diff([]string{"Accept-Encoding", "text/javascript; charset=utf-8", "public, max-age=31536000, immutable"}, got); diff != "" {
			t.Errorf("who accepts %q (-want +got):\n%s", accepts, diff)
		}
	}
}

func unpack(t *testing.T, packed []byte) []byte {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func TestFilesThatDoNotShrinkAreSentAsTheyAre(t *testing.T) {
	a := withPage(t).call("GET", "/assets/b.js", "", "Accept-Encoding", "gzip").is(200)
	if string(a.body) != "1" || a.header.Get("Content-Encoding") != "" || a.header.Get("Vary") != "" || a.header.Get("ETag") == "" {
		t.Errorf("%q with %v", a.body, a.header)
	}
}

func TestFilesWithoutAKnownNameKeepTheirType(t *testing.T) {
	a := withPage(t).call("GET", "/assets/c.none", "", "Accept-Encoding", "gzip").is(200)
	if a.header.Get("Content-Encoding") != "gzip" || a.header.Get("Content-Type") != "image/png" {
		t.Errorf("header %v", a.header)
	}
}

func TestFilesAreKnownByTheirTags(t *testing.T) {
	w := withPage(t)
	tags := map[string]string{}
	for _, accepts := range []string{"gzip", "identity"} {
		a := w.call("GET", "/theme.js", "", "Accept-Encoding", accepts).is(200)
		if got := a.header.Get("Cache-Control"); got != "no-cache" {
			t.Errorf("a file without a hash in its name may be kept: %q", got)
		}
		tags[accepts] = a.header.Get("ETag")
	}
	if tags["gzip"] == tags["identity"] {
		t.Errorf("both forms have the tag %s", tags["gzip"])
	}
	for _, accepts := range []string{"gzip", "identity"} {
		a := w.call("GET", "/theme.js", "", "Accept-Encoding", accepts, "If-None-Match", tags[accepts]).is(304)
		if len(a.body) > 0 || a.header.Get("ETag") != tags[accepts] || a.header.Get("Vary") != "Accept-Encoding" {
			t.Errorf("not modified: %q with %v", a.body, a.header)
		}
		w.call("GET", "/theme.js", "", "Accept-Encoding", accepts, "If-None-Match", `"another"`).is(200)
	}
	w.call("GET", "/theme.js", "", "Accept-Encoding", "gzip", "If-None-Match", tags["identity"]).is(200)
	if a := w.call("HEAD", "/theme.js", "", "Accept-Encoding", "gzip").is(200); len(a.body) > 0 || a.header.Get("ETag") != tags["gzip"] {
		t.Errorf("HEAD: %d bytes with %v", len(a.body), a.header)
	}
}
