package httpapi_test

import (
	"net/http"
	"strings"
	"testing"

	"dec.local/dec/internal/api"
)

func TestSessionByToken(t *testing.T) {
	w := newFixture(t)
	got := decode[api.Session](w.get(at("/session")).is(200))
	if got.Subject != "admin" || got.Via != "token" || got.Version != "test" || got.Install != "i-test" {
		t.Errorf("session %+v", got)
	}
}

func TestSignInByCodeAndOut(t *testing.T) {
	w := newFixture(t)
	w.token = ""
	code := w.guard.NewCode()
	a := w.post(at("/session"), `{"code": "`+code+`"}`).is(200)
	if got := decode[api.Session](a); got.Subject != "admin" || got.Via != "cookie" {
		t.Errorf("session %+v", got)
	}
	cookie, _, _ := strings.Cut(a.header.Get("Set-Cookie"), ";")
	with := func(method, path string) answer {
		t.Helper()
		return w.call(method, at(path), "", "Cookie", cookie)
	}
	if got := decode[api.Session](with("GET", "/session").is(200)); got.Via != "cookie" {
		t.Errorf("session %+v", got)
	}
	with("GET", "/experiments").is(200)
	with("DELETE", "/session").is(204)
	with("GET", "/experiments").refused(401)
	w.post(at("/session"), `{"code": "`+code+`"}`).refused(401) // it works once
}

func TestSignInByToken(t *testing.T) {
	w := newFixture(t)
	w.token = ""
	w.post(at("/session"), `{"token": "`+token+`"}`).is(200)
	var last answer
	for range 12 {
		last = w.post(at("/session"), `{"token": "wrong"}`)
		if last.status != http.StatusUnauthorized {
			break
		}
	}
	last.refused(http.StatusTooManyRequests)
}
