package httpapi

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/prometheus/client_golang/prometheus"

	"minicrm/domain"
)

// noon is the time of the test edge's clock.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 250_000_000, time.UTC)

const noonText = "2026-03-01T12:00:00.25Z"

// edge is an edge under test, with what is behind it.
type edge struct {
	t       testing.TB
	house   *house
	handler http.Handler
	metrics *prometheus.Registry
	log     *strings.Builder
	outside bool // its answers are not the contract's: they come from another handler, or from a dispatcher that misbehaves
}

// newEdge is an edge with a fresh house; change adjusts its options.
func newEdge(t testing.TB, change ...func(*Options)) *edge {
	t.Helper()
	e := &edge{t: t, house: newHouse(), metrics: prometheus.NewRegistry(), log: new(strings.Builder)}
	clock := NewClock(0)
	clock.wall = func() time.Time { return noon }
	o := Options{
		Dispatcher: e.house,
		Clock:      clock,
		Registerer: e.metrics,
		Logger:     slog.New(slog.NewTextHandler(e.log, nil)),
	}
	for _, c := range change {
		c(&o)
	}
	e.handler = New(o)
	return e
}

// answered is what came back.
type answered struct {
	t      testing.TB
	call   string
	status int
	header http.Header
	body   string
}

// do makes a call; a body is said to be JSON.
func (e *edge) do(method, target, body string) *answered {
	e.t.Helper()
	req := e.request(method, target, strings.NewReader(body))
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	return e.send(req)
}

func (e *edge) request(method, target string, body io.Reader) *http.Request {
	return httptest.NewRequestWithContext(e.t.Context(), method, target, body)
}

func (e *edge) send(req *http.Request) *answered {
	e.t.Helper()
	rec := httptest.NewRecorder()
	sent := new(strings.Builder)
	req.Body = io.NopCloser(io.TeeReader(req.Body, sent))
	e.handler.ServeHTTP(rec, req)
	a := &answered{t: e.t, call: req.Method + " " + req.URL.RequestURI(), status: rec.Code, header: rec.Header(), body: rec.Body.String()}
	if n := a.header.Get("Content-Length"); n != "" && n != fmt.Sprint(len(a.body)) {
		e.t.Errorf("%s: Content-Length %s, but %d bytes", a.call, n, len(a.body))
	}
	if !e.outside {
		if err := theContract().check(req, sent.String(), a); err != nil {
			e.t.Errorf("%s: %d %.500s\nbreaks the contract: %v", a.call, a.status, a.body, err)
		}
	}
	return a
}

// is checks the status and, to the byte, the body.
func (a *answered) is(status int, body string) *answered {
	a.t.Helper()
	if a.status != status || a.body != body {
		a.t.Errorf("%s:\n got %d %s\nwant %d %s", a.call, a.status, a.body, status, body)
	}
	if got := a.header.Get("Content-Type"); body != "" && got != "application/json" {
		a.t.Errorf("%s: Content-Type %q", a.call, got)
	}
	return a
}

// ok wants a status below 300 and decodes the body.
func (a *answered) ok() map[string]any {
	a.t.Helper()
	if a.status >= 300 {
		a.t.Fatalf("%s: %d %s", a.call, a.status, a.body)
	}
	return a.json()
}

func (a *answered) json() (decoded map[string]any) {
	a.t.Helper()
	if err := json.Unmarshal([]byte(a.body), &decoded); err != nil {
		a.t.Fatalf("%s: %v in %s", a.call, err, a.body)
	}
	return decoded
}

// problem checks that the answer is a problem with this code and exactly these bad fields.
func (a *answered) problem(status int, code string, fields ...string) Problem {
	a.t.Helper()
	var p Problem
	if err := json.Unmarshal([]byte(a.body), &p, json.RejectUnknownMembers(true)); err != nil {
		a.t.Fatalf("%s: %v in %d %s", a.call, err, a.status, a.body)
	}
	var got []string
	for _, f := range p.Errors {
		got = append(got, f.Field)
		if f.Message == "" {
			a.t.Errorf("%s: no message for %s", a.call, f.Field)
		}
	}
	if a.status != status || string(p.Code) != code || strings.Join(got, " ") != strings.Join(fields, " ") {
		a.t.Errorf("%s: got %d %s %v, want %d %s %v: %s", a.call, a.status, p.Code, got, status, code, fields, a.body)
	}
	if p.Status != a.status || p.Title == "" || p.Detail == "" || p.Type != "/docs/problems#"+code {
		a.t.Errorf("%s: incomplete problem: %s", a.call, a.body)
	}
	if got := a.header.Get("Content-Type"); got != "application/problem+json" {
		a.t.Errorf("%s: Content-Type %q", a.call, got)
	}
	if again := a.header.Get("Retry-After"); (again == "1") != (status == http.StatusServiceUnavailable) && code != "rate_limited" {
		a.t.Errorf("%s: Retry-After %q with %d", a.call, again, status)
	}
	return p
}

// operator, source, link and contact make what a test needs to start from.
func (e *edge) operator(maxLoad int) {
	e.t.Helper()
	e.do("POST", "/v1/operators", fmt.Sprintf(`{"name":"op","max_load":%d}`, maxLoad)).ok()
}

func (e *edge) source() {
	e.t.Helper()
	e.do("POST", "/v1/sources", `{"name":"chat"}`).ok()
}

func (e *edge) link(source, operator, weight int) {
	e.t.Helper()
	e.do("PUT", fmt.Sprintf("/v1/sources/%d/operators/%d", source, operator), fmt.Sprintf(`{"weight":%d}`, weight)).ok()
}

func (e *edge) contact(source int, email string) map[string]any {
	e.t.Helper()
	return e.do("POST", "/v1/contacts", fmt.Sprintf(`{"source_id":%d,"email":%q}`, source, email)).ok()
}

// leads is the number of leads that were committed.
func (e *edge) leads() int {
	var n int
	e.house.View(func(c *domain.Catalog) {
		leads, _ := c.Leads(0, 1000)
		n = len(leads)
	})
	return n
}

// failing is a reader that breaks after some bytes, as a client that hangs up does.
func failing(text string) io.Reader {
	return io.MultiReader(strings.NewReader(text), iotest.ErrReader(io.ErrUnexpectedEOF))
}

// noMetrics is a /metrics that has nothing to say.
var noMetrics = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Type", "text/plain") })
