package httpapi_test

import (
	"net/http"
	"strings"
	"testing"

	"dec.local/dec/internal/api"
	"dec.local/dec/internal/yamltext"
)

func TestQueriesAreStrict(t *testing.T) {
	w := newFixture(t)
	tests := map[string]struct{ path, location string }{
		"unknown parameter":            {"/experiments?colour=red", "query.colour"},
		"of a call that takes none":    {"/catalog?x=1", "query.x"},
		"known elsewhere":              {"/experiments/e000000000?limit=1", "query.limit"},
		"given twice":                  {"/experiments?limit=1&limit=2", "query.limit"},
		"empty":                        {"/experiments?limit=", "query.limit"},
		"without a value":              {"/experiments?q", "query.q"},
		"not a number":                 {"/experiments?limit=1e1", "query.limit"},
		"number that ParseInt takes":   {"/experiments?limit=%2B5", "query.limit"},
		"below the minimum":            {"/experiments?limit=0", "query.limit"},
		"above the maximum":            {"/runs?limit=201", "query.limit"},
		"more than 64 bits":            {"/events?after=9999999999999999999", "query.after"},
		"not one of the enumeration":   {"/runs?phase=sleeping", "query.phase"},
		"boolean that ParseBool takes": {"/events?run=1", "query.run"},
		"control character":            {"/experiments?q=a%00b", "query.q"},
		"not UTF-8":                    {"/experiments?q=%FF", "query.q"},
		"not a query":                  {"/experiments?q=%zz", "query"},
		"semicolon":                    {"/experiments?q=a;b=c", "query"},
		"cursor of bad letters":        {"/experiments?cursor=%3Cx%3E", "query.cursor"},
		"cursor of another list":       {"/experiments?cursor=zzz", "query.cursor"},
		"bad cursor of runs":           {"/runs?cursor=zzz", "query.cursor"},
		"bad cursor of the audit":      {"/audit?cursor=zzz", "query.cursor"},
		"digest that is none":          {"/experiments?plan=abc", "query.plan"},
		"too long":                     {"/experiments?q=" + strings.Repeat("x", 201), "query.q"},
		"wait without unit":            {"/shutdown?wait=30", "query.wait"},
		"wait for too long":            {"/shutdown?wait=31s", "query.wait"},
		"metric that is none":          {"/comparison?run=r000000000&metric=p99", "query.metric"},
		"comparison of nothing":        {"/comparison", "query.run"},
		"run that is none":             {"/comparison?run=x", "query.run[0]"},
		"run given twice":              {"/comparison?run=r000000000&run=r000000000", "query.run"},
		"before the first second":      {"/runs/r000000000/timeline?after=-2", "query.after"},
		"level that is none":           {"/runs/r000000000/log?level=loud", "query.level"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := *w
			w.T = t
			w.get("/api/v1"+tt.path).refused(422, tt.location)
		})
	}
}

func TestPathsAreStrict(t *testing.T) {
	w := newFixture(t)
	tests := map[string]struct {
		method, path string
		status       int
		allow        string
		locations    []string
	}{
		"unknown call":             {"GET", "/api/v1/nothing", 404, "", nil},
		"unknown version":          {"GET", "/api/v2/runs", 404, "", nil},
		"the API itself":           {"GET", "/api", 404, "", nil},
		"trailing slash":           {"GET", "/api/v1/runs/", 404, "", nil},
		"double slash":             {"GET", "/api/v1//runs", 404, "", nil},
		"dots":                     {"GET", "/api/v1/runs/../runs", 404, "", nil},
		"escaped dots":             {"GET", "/api/v1/runs/%2e%2e", 404, "", nil},
		"escaped slash":            {"GET", "/api/v1/runs/r000000000%2Flog", 422, "", []string{"path.id"}},
		"id of an experiment":      {"GET", "/api/v1/runs/e000000000", 422, "", []string{"path.id"}},
		"id with capitals":         {"GET", "/api/v1/runs/R000000000", 422, "", []string{"path.id"}},
		"id with more":             {"GET", "/api/v1/runs/r000000000%0A", 422, "", []string{"path.id"}},
		"id that is not known":     {"GET", "/api/v1/runs/r000000000", 404, "", nil},
		"wrong method":             {"PUT", "/api/v1/runs", 405, "GET, HEAD", nil},
		"wrong method below an id": {"PATCH", "/api/v1/experiments/e000000000", 405, "GET, HEAD, DELETE", nil},
		"trace":                    {"TRACE", "/api/v1/shutdown", 405, "GET, HEAD, POST, DELETE", nil},
		"options":                  {"OPTIONS", "/api/v1/catalog", 405, "GET, HEAD", nil},
		"write to the health":      {"POST", "/readyz", 405, "GET, HEAD", nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := *w
			w.T = t
			a := w.call(tt.method, tt.path, "")
			a.refused(tt.status, tt.locations...)
			if got := a.header.Get("Allow"); got != tt.allow {
				t.Errorf("Allow: %q, want %q", got, tt.allow)
			}
		})
	}
}

func TestPlansAreBounded(t *testing.T) {
	const size = 300_000 // of which each of these would take gigabytes
	for _, nesting := range []string{"[", "- ", "{a: ", "? ", "&a [", `{"a":`, `[{"a":`} {
		for _, mediaType := range []string{"application/json", "text/yaml"} {
			if mediaType == "application/json" && !strings.Contains("[{\"a\":", nesting) {
				continue
			}
			for _, path := range []string{"/experiments", "/experiments?dry_run=true"} {
				a := newFixture(t).call("POST", at(path), strings.Repeat(nesting, size/len(nesting)), "Content-Type", mediaType)
				p := a.refused(422, "body")
				if want := "line 1: nested 65 levels deep; at most 64 are allowed"; p.Errors[0].Message != want {
					t.Errorf("POST %s with %q as %s is refused with %q, want %q", path, nesting, mediaType, p.Errors[0].Message, want)
				}
			}
		}
	}
}

func TestBodiesAreStrict(t *testing.T) {
	w := newFixture(t)
	tests := map[string]struct {
		path, body, mediaType string
		status                int
		locations             []string
	}{
		"none where one is needed":      {"/session", "", "application/json", 400, nil},
		"no plan":                       {"/experiments", "", "application/json", 422, []string{"body"}},
		"not JSON":                      {"/experiments", `{"name": `, "application/json", 400, nil},
		"YAML that calls itself JSON":   {"/experiments", "name: x", "application/json", 400, nil},
		"two documents":                 {"/session", `{"code": "a"}{"code": "b"}`, "application/json", 400, []string{"body"}},
		"form":                          {"/experiments", "a=b", "application/x-www-form-urlencoded", 415, nil},
		"nonsense as a type":            {"/experiments", "{}", "json", 415, nil},
		"another charset":               {"/experiments", "{}", "application/json; charset=utf-16", 415, nil},
		"YAML for a call that takes it": {"/experiments", "x: 1", "text/yaml", 422, []string{"body.workload", "body.variants", "body.x"}},
		"YAML for one that does not":    {"/shutdown", "exit: false", "text/yaml", 415, nil},
		"too large":                     {"/experiments", strings.Repeat(" ", yamltext.MaxBytes+1), "application/json", 413, nil},
		"for a call that takes none":    {"/runs/r000000000/cancel", "{}", "application/json", 422, []string{"body"}},
		"unknown field":                 {"/shutdown", `{"mod": "drain"}`, "application/json", 422, []string{"body.mod"}},
		"field in another case":         {"/shutdown", `{"Exit": false}`, "application/json", 422, []string{"body.Exit"}},
		"wrong type":                    {"/shutdown", `{"exit": 1}`, "application/json", 422, []string{"body.exit"}},
		"null":                          {"/shutdown", `null`, "application/json", 422, []string{"body"}},
		"list":                          {"/shutdown", `[]`, "application/json", 422, []string{"body"}},
		"null as a field":               {"/shutdown", `{"exit": null}`, "application/json", 422, []string{"body.exit"}},
		"sign-in with nothing":          {"/session", `{}`, "application/json", 422, []string{"body"}},
		"sign-in with two":              {"/session", `{"code": "a", "token": "b"}`, "application/json", 422, []string{"body"}},
		"sign-in with an empty code":    {"/session", `{"code": ""}`, "application/json", 422, []string{"body.code"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := *w
			w.T = t
			w.call("POST", "/api/v1"+tt.path, tt.body, "Content-Type", tt.mediaType).refused(tt.status, tt.locations...)
		})
	}
}

func TestHeadersAreStrict(t *testing.T) {
	w := newFixture(t)
	w.call("POST", "/api/v1/experiments", planText, "Idempotency-Key", "a b").refused(422, "header.Idempotency-Key")
	w.call("GET", "/api/v1/events", "", "Last-Event-ID", "x").refused(422, "header.Last-Event-ID")
	w.call("GET", "/api/v1/events", "", "Last-Event-ID", "-2").refused(422, "header.Last-Event-ID")
}

func TestCallsNeedAToken(t *testing.T) {
	w := newFixture(t)
	w.token = ""
	for _, path := range []string{"/api/v1/catalog", "/api/v1/session", "/api/openapi.json", "/api/v1/nothing", "/metrics"} {
		w.get(path).is(http.StatusUnauthorized)
	}
	for _, path := range []string{"/livez", "/healthz", "/readyz", "/", "/runs/r000000000"} {
		w.get(path).is(http.StatusOK)
	}
}

func TestOneFormOfAnswerWhateverIsAccepted(t *testing.T) {
	w := newFixture(t)
	for _, accept := range []string{"application/cbor", "json", api.ProblemType, "text/html, */*;q=0.1"} {
		a := w.call("GET", "/api/v1/catalog", "", "Accept", accept).is(200)
		if kind := a.header.Get("Content-Type"); kind != "application/json" {
			t.Errorf("Accept: %s is answered with %s", accept, kind)
		}
	}
}

func TestHeadAnswersLikeGet(t *testing.T) {
	w := newFixture(t)
	for _, path := range []string{"/api/v1/catalog", "/api/v1/events", "/livez"} {
		if a := w.call("HEAD", path, ""); a.status != 200 || len(a.body) > 0 {
			t.Errorf("HEAD %s answers %d with %d bytes", path, a.status, len(a.body))
		}
	}
}
