package guard_test

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"dec.local/dec/internal/guard"
)

func TestCallsNeedAToken(t *testing.T) {
	f := newFixture(t, nil)
	tests := map[string]struct {
		path   string
		change func(*http.Request)
		want   int
	}{
		"none":                        {path: "/who", want: 401},
		"none, for what is open":      {path: "/open", want: 200},
		"the right one":               {path: "/who", change: withToken(token), want: 200},
		"a wrong one":                 {path: "/who", change: withToken("f" + token[1:]), want: 401},
		"an empty one":                {path: "/who", change: withToken(""), want: 401},
		"by another scheme":           {path: "/who", change: func(r *http.Request) { r.Header.Set("Authorization", "Basic "+token) }, want: 401},
		"as a cookie":                 {path: "/who", change: func(r *http.Request) { r.Header.Set("Cookie", "session="+token+"; dec="+token) }, want: 401},
		"none, for what is not there": {path: "/nowhere", want: 401},
		"in the query":                {path: "/who?token=" + token, want: 401},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			res, body := f.request(t, f.Client(), "GET", tt.path, "", tt.change)
			wantStatus(t, res, body, tt.want)
			if tt.want == 401 && res.Header.Get("WWW-Authenticate") != "Bearer" {
				t.Errorf("a 401 does not say how to authenticate: %v", res.Header)
			}
		})
	}
	if log := f.log.String(); strings.Contains(log, token[1:]) {
		t.Errorf("the log has the token: %s", log)
	}
}

func TestWhoTellsTheCaller(t *testing.T) {
	f := newFixture(t, nil)
	_, body := f.request(t, f.Client(), "GET", "/who", "", withToken(token))
	if !strings.Contains(body, `"known":true`) || !strings.Contains(body, `"subject":"admin","via":"token"`) {
		t.Errorf("the caller is %s, want admin via token", body)
	}
}

func TestTokensCanChange(t *testing.T) {
	f := newFixture(t, nil)
	f.change(func() { f.tokens = []string{"another token of some length", "and one more of that"} })
	for token, want := range map[string]int{token: 401, f.tokens[0]: 200, f.tokens[1]: 200} {
		res, body := f.request(t, f.Client(), "GET", "/who", "", withToken(token))
		wantStatus(t, res, body, want)
	}
}

func TestHosts(t *testing.T) {
	f := newFixture(t, func(o *guard.Options) {
		o.Hosts, o.PublicURL = []string{"Build.example"}, "http://dec.example:8443"
	})
	for host, want := range map[string]int{
		"localhost": 200, "LOCALHOST:8080": 200, "127.0.0.1:1": 200, "[::1]:8080": 200, "[::1]": 200, "dec.localhost": 200, "10.1.2.3:8080": 200,
		"build.example": 200, "build.example:8080": 200, "dec.example": 200, "dec.example.": 200,
		"evil.example": 403, "evil.example:8080": 403, "dec.example.evil.example": 403, "xlocalhost": 403, "127.0.0.1.evil.example": 403,
	} {
		res, body := f.request(t, f.Client(), "GET", "/open", "", func(r *http.Request) { r.Host = host })
		if res.StatusCode != want {
			t.Errorf("Host %s = %s %s, want %d", host, res.Status, body, want)
		}
	}
}

func TestWritesOfOtherOriginsAreRefused(t *testing.T) {
	f := newFixture(t, func(o *guard.Options) { o.PublicURL = "https://dec.example" })
	tests := map[string]struct {
		method, header, value string
		want                  int
	}{
		"a page of another site":                 {"POST", "Sec-Fetch-Site", "cross-site", 403},
		"a page of another port of this machine": {"POST", "Sec-Fetch-Site", "same-site", 403},
		"an old browser elsewhere":               {"POST", "Origin", "http://evil.example", 403},
		"a page without origin":                  {"POST", "Origin", "null", 403},
		"our own page":                           {"POST", "Sec-Fetch-Site", "same-origin", 200},
		"our own page in an old browser":         {"POST", "Origin", f.URL, 200},
		"our page by its public name":            {"POST", "Origin", "https://dec.example", 200},
		"our page by another scheme":             {"POST", "Origin", "http://dec.example", 403},
		"no browser":                             {"POST", "User-Agent", "curl", 200},
		"a reader elsewhere, who sees nothing":   {"GET", "Sec-Fetch-Site", "cross-site", 405},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			res, body := f.request(t, f.Client(), tt.method, "/read", "x", func(r *http.Request) {
				withToken(token)(r)
				r.Header.Set(tt.header, tt.value)
			})
			wantStatus(t, res, body, tt.want)
			if res.Header.Get("Access-Control-Allow-Origin") != "" {
				t.Error("the answer lets other origins read it")
			}
		})
	}
}

func TestPathsCannotClimb(t *testing.T) {
	f := newFixture(t, nil)
	for _, path := range []string{"/../who", "/a/../who", "/%2e%2e/who", "/a/%2e%2e%2fwho", "/..%5cwho", "/who%00", "/who/.."} {
		res, body := f.request(t, f.Client(), "GET", path, "", withToken(token))
		if res.StatusCode != 404 || !strings.Contains(body, "are not allowed") {
			t.Errorf("%s = %s %s, want 404 of the guard", path, res.Status, body)
		}
	}
}

func TestEveryAnswerHasSecurityHeaders(t *testing.T) {
	f := newFixture(t, func(o *guard.Options) { o.PublicURL = "https://dec.example" })
	nonces := map[string]bool{}
	for path, change := range map[string]func(*http.Request){
		"/who": withToken(token), "/open": nil, "/none": nil, "/../x": nil, "/panic": withToken(token),
	} {
		res, body := f.request(t, f.Client(), "GET", path, "", change)
		csp := res.Header.Get("Content-Security-Policy")
		nonce := regexp.MustCompile(`style-src 'self' 'nonce-([A-Z0-9]{26})'`).FindStringSubmatch(csp)
		if nonce == nil || strings.Contains(csp, "unsafe") || !strings.Contains(csp, "script-src 'self';") || !strings.Contains(csp, "frame-ancestors 'none'") {
			t.Fatalf("%s: Content-Security-Policy %q", path, csp)
		}
		if nonces[nonce[1]] {
			t.Errorf("%s: the nonce %s comes twice", path, nonce[1])
		}
		nonces[nonce[1]] = true
		if path == "/who" && !strings.Contains(body, nonce[1]) {
			t.Errorf("Nonce is not that of the header %s: %s", csp, body)
		}
		for header, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer",
			"Cross-Origin-Resource-Policy": "same-origin", "Strict-Transport-Security": "max-age=31536000",
		} {
			if got := res.Header.Get(header); got != want {
				t.Errorf("%s: %s is %q, want %q", path, header, got, want)
			}
		}
	}
}

func TestPanicsAreAnsweredAndLogged(t *testing.T) {
	f := newFixture(t, nil)
	res, body := f.request(t, f.Client(), "GET", "/panic", "", withToken(token))
	wantStatus(t, res, body, 500)
	if strings.Contains(body, "oh no") || !strings.Contains(f.log.String(), "oh no") {
		t.Errorf("answer %s, log %s; want the panic in the log alone", body, f.log)
	}
}

func TestCallersAreLimitedOneByOne(t *testing.T) {
	f := guarded(t, nil) // outside of the bubble: the library's sessions keep a goroutine
	synctest.Test(t, func(t *testing.T) {
		f.change(func() { f.tokens = append(f.tokens, "another token") })
		call := func(token string) *httptest.ResponseRecorder {
			r := httptest.NewRequest("GET", "http://localhost/who", nil)
			withToken(token)(r)
			w := httptest.NewRecorder()
			f.handler.ServeHTTP(w, r)
			return w
		}
		for i := range 1000 {
			if w := call(token); w.Code != 200 {
				t.Fatalf("call %d = %d %s, want 1000 at once to pass", i, w.Code, w.Body)
			}
		}
		if w := call(token); w.Code != 429 || w.Header().Get("Retry-After") != "1" {
			t.Errorf("call 1001 at once = %d, Retry-After %q; want 429 and 1", w.Code, w.Header().Get("Retry-After"))
		}
		if w := call("another token"); w.Code != 200 {
			t.Errorf("the call of another caller = %d, want 200", w.Code)
		}
		time.Sleep(time.Second)
		if w := call(token); w.Code != 200 {
			t.Errorf("a call after Retry-After = %d, want 200", w.Code)
		}
	})
}

func TestOptionsAreChecked(t *testing.T) {
	if _, err := guard.New(guard.Options{}); err == nil {
		t.Error("New without tokens succeeded")
	}
	for _, address := range []string{"dec.example", "ftp://dec.example", "http://", "http://a b"} {
		o := guard.Options{TokenHashes: func() [][32]byte { return nil }, Sessions: store{}, MaxBody: maxBody, PublicURL: address}
		if _, err := guard.New(o); err == nil {
			t.Errorf("New with public URL %q succeeded", address)
		}
	}
}
