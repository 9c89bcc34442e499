package guard_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"dec.local/dec/internal/guard"
)

func TestCodesSignInOnce(t *testing.T) {
	f := newFixture(t, nil)
	browser := f.browser(t)
	code := f.guard.NewCode()
	res, body := f.request(t, browser, "POST", "/session", `{"code":"`+code+`"}`, nil)
	wantStatus(t, res, body, 200)
	cookies := res.Cookies()
	if len(cookies) != 1 || !cookies[0].HttpOnly || cookies[0].SameSite != http.SameSiteStrictMode || cookies[0].Secure || cookies[0].Path != "/" {
		t.Fatalf("cookies %v, want one that is HttpOnly and SameSite=Strict", cookies)
	}
	_, body = f.request(t, browser, "GET", "/who", "", nil)
	if !strings.Contains(body, `"subject":"admin","via":"cookie"`) {
		t.Errorf("signed in as %s, want admin via cookie", body)
	}
	if _, found, _ := f.sessions.Find(cookies[0].Value); found {
		t.Error("the store has the token of the session, want its hash")
	}
	res, body = f.request(t, f.browser(t), "POST", "/session", `{"code":"`+code+`"}`, nil)
	wantStatus(t, res, body, 401)
	if log := f.log.String(); strings.Contains(log, code) || strings.Contains(log, cookies[0].Value) {
		t.Errorf("the log has the code or the cookie: %s", log)
	}
}

func TestCodesExpire(t *testing.T) {
	f := newFixture(t, nil)
	early, late := f.guard.NewCode(), f.guard.NewCode()
	f.change(func() { f.now = f.now.Add(10*time.Minute - time.Second) })
	res, body := f.request(t, f.browser(t), "POST", "/session", `{"code":"`+early+`"}`, nil)
	wantStatus(t, res, body, 200)
	f.change(func() { f.now = f.now.Add(time.Second) })
	res, body = f.request(t, f.browser(t), "POST", "/session", `{"code":"`+late+`"}`, nil)
	wantStatus(t, res, body, 401)
}

func TestNewestCodesWork(t *testing.T) {
	f := newFixture(t, nil)
	first := f.guard.NewCode()
	var last string
	for range 32 {
		last = f.guard.NewCode()
	}
	for code, want := range map[string]int{first: 401, last: 200} {
		res, body := f.request(t, f.browser(t), "POST", "/session", `{"code":"`+code+`"}`, nil)
		wantStatus(t, res, body, want)
	}
}

func TestSignInWithTheTokenAndOut(t *testing.T) {
	f := newFixture(t, func(o *guard.Options) { o.PublicURL = "https://dec.example" })
	res, body := f.request(t, f.Client(), "POST", "/session", `{"token":"`+token+`"}`, nil)
	wantStatus(t, res, body, 200)
	cookie := res.Cookies()[0]
	if !cookie.Secure || !strings.HasPrefix(cookie.Name, "__Host-") {
		t.Errorf("cookie %v of an https server, want it Secure and bound to its host", cookie)
	}
	with := func(r *http.Request) { r.AddCookie(&http.Cookie{Name: cookie.Name, Value: cookie.Value}) }
	res, body = f.request(t, f.Client(), "DELETE", "/session", "", with)
	wantStatus(t, res, body, 200)
	if gone := res.Cookies(); len(gone) != 1 || gone[0].MaxAge >= 0 {
		t.Errorf("cookies after sign-out %v, want one that deletes it", gone)
	}
	res, body = f.request(t, f.Client(), "GET", "/who", "", with)
	wantStatus(t, res, body, 401)
	res, body = f.request(t, f.Client(), "DELETE", "/session", "", withToken(token)) // has no session
	wantStatus(t, res, body, 200)
}

func TestSignInGivesANewSessionToken(t *testing.T) {
	f := newFixture(t, nil)
	sign := func(change func(*http.Request)) *http.Cookie {
		res, body := f.request(t, f.Client(), "POST", "/session", `{"token":"`+token+`"}`, change)
		wantStatus(t, res, body, 200)
		return res.Cookies()[0]
	}
	planted := sign(nil)
	fresh := sign(func(r *http.Request) { r.AddCookie(planted) })
	if fresh.Value == planted.Value {
		t.Error("signing in keeps the session that the browser came with")
	}
	res, body := f.request(t, f.Client(), "GET", "/who", "", func(r *http.Request) { r.AddCookie(planted) })
	wantStatus(t, res, body, 401)
}

func TestBadSignIns(t *testing.T) {
	f := newFixture(t, nil)
	for _, body := range []string{`{}`, `{"code":"x"}`, `{"token":"x"}`, `{"code":"` + f.guard.NewCode() + `","token":"` + token + `"}`} {
		res, text := f.request(t, f.Client(), "POST", "/session", body, nil)
		wantStatus(t, res, text, 401)
		if len(res.Cookies()) > 0 {
			t.Errorf("sign-in with %s got a cookie", body)
		}
	}
	if err := f.guard.SignIn(t.Context(), "", token); err == nil || errors.Is(err, guard.ErrSignIn) {
		t.Errorf("SignIn outside a call = %v, want an error of its own", err)
	}
}

func TestFailedSignInsAreLimitedHard(t *testing.T) {
	f := newFixture(t, nil)
	var last int
	for range 12 {
		res, _ := f.request(t, f.Client(), "POST", "/session", `{"code":"guess"}`, nil)
		last = res.StatusCode
	}
	if last != 429 {
		t.Errorf("the twelfth failed sign-in = %d, want 429", last)
	}
	res, body := f.request(t, f.Client(), "POST", "/session", `{"code":"`+f.guard.NewCode()+`"}`, nil)
	wantStatus(t, res, body, 200) // others at this address cannot lock its owner out
}

func TestSessionsEndWhenTheTokenChanges(t *testing.T) {
	f := newFixture(t, nil)
	browser := f.browser(t)
	res, body := f.request(t, browser, "POST", "/session", `{"token":"`+token+`"}`, nil)
	wantStatus(t, res, body, 200)
	f.change(func() { f.tokens = []string{"a new token"} })
	res, body = f.request(t, browser, "GET", "/who", "", nil)
	wantStatus(t, res, body, 401)
}

func TestServersOnOneHostHaveCookiesOfTheirOwn(t *testing.T) {
	one, two := newFixture(t, nil), newFixture(t, func(o *guard.Options) {
		o.TokenHashes = func() [][32]byte { return [][32]byte{guard.Hash("the token of the other one")} }
	})
	browser := one.browser(t)
	one.request(t, browser, "POST", "/session", `{"token":"`+token+`"}`, nil)
	two.request(t, browser, "POST", "/session", `{"token":"the token of the other one"}`, nil)
	for _, f := range []*fixture{one, two} {
		res, body := f.request(t, browser, "GET", "/who", "", nil)
		wantStatus(t, res, body, 200)
	}
}

func TestStoreThatFails(t *testing.T) {
	f := newFixture(t, func(o *guard.Options) { o.Sessions = broken{} })
	res, body := f.request(t, f.Client(), "POST", "/session", `{"token":"`+token+`"}`, nil)
	wantStatus(t, res, body, 503)
	res, body = f.request(t, f.Client(), "GET", "/who", "", withToken(token)) // needs no session
	wantStatus(t, res, body, 200)
}

// broken is a store whose database is down.
type broken struct{ store }

var errDown = errors.New("the database is down")

func (broken) FindCtx(context.Context, string) ([]byte, bool, error)      { return nil, false, errDown }
func (broken) CommitCtx(context.Context, string, []byte, time.Time) error { return errDown }
func (broken) DeleteCtx(context.Context, string) error                    { return errDown }
