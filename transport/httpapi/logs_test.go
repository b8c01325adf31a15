package httpapi

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"
)

// Catches: a request without a line, or with several; a line without what one looks for; a path, query, body or key in it.
func TestOneLineARequest(t *testing.T) {
	var e *edge
	e = newGuardedEdge(t, func(o *Options) {
		o.Logger = slog.New(slog.NewTextHandler(lazily{&e}, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	for _, c := range []struct{ key, method, target, body, want string }{
		{"root", "POST", "/v1/leads", `{"email":"secret@example.org"}`, "level=DEBUG msg=request request=ID caller=root method=POST route=/v1/leads status=201 took="},
		{"watcher", "GET", "/v1/leads?email=secret%40example.org", "", "level=DEBUG msg=request request=ID caller=watcher method=GET route=/v1/leads status=200 took="},
		{"watcher", "GET", "/v1/leads/77", "", "route=/v1/leads/:id status=404"},
		{"watcher", "GET", "/secret@example.org", "", "route=other status=404"},
		{"root", "SECRET", "/v1/leads", "", "method=other"},
		{"root", "POST", "/v1/leads", `{"email":"secret@example.org secret@example.org"}`, "level=DEBUG msg=request request=ID caller=root method=POST route=/v1/leads status=422"},
		{"root", "POST", "/v1/leads", `{"secret@example.org":1}`, "status=400"},
		{"secret@example.org", "GET", "/v1/leads", "", "level=WARN msg=request request=ID method=GET route=/v1/leads status=401"},
		{"watcher", "POST", "/v1/leads", `{"email":"secret@example.org"}`, "level=WARN msg=request request=ID caller=watcher method=POST route=/v1/leads status=403"},
		{"", "GET", "/healthz", "", "level=DEBUG"},
	} {
		e.log.Reset()
		id := e.as(c.key, c.method, c.target, c.body).header.Get("X-Request-Id")
		got := e.log.String()
		if strings.Count(got, "\n") != 1 || !strings.Contains(got, strings.Replace(c.want, "ID", id, 1)) || !strings.Contains(got, "request="+id) {
			t.Errorf("%s %s: logged %s, want %s", c.method, c.target, got, c.want)
		}
		if strings.Contains(strings.ToLower(got), "secret") {
			t.Errorf("%s %s: leaked: %s", c.method, c.target, got)
		}
	}
}

// lazily writes to the log of an edge that is not there yet.
type lazily struct{ e **edge }

func (l lazily) Write(p []byte) (int, error) { return (*l.e).log.Write(p) }

// Catches: failures that cannot be told from each other, or that fill the disk; what was left out that nobody counts.
func TestFloodsOfLinesAreSampled(t *testing.T) {
	e := newFailingEdge(t, failingHouse{err: errors.New("the disk burns")})
	ids := map[string]bool{}
	for range 10 * maxLinesPerSecond {
		ids[e.do("POST", "/v1/contacts", post).header.Get("X-Request-Id")] = true
	}
	lines := strings.Split(strings.TrimSpace(e.log.String()), "\n")
	// A second may end while this runs.
	if n := len(lines); n < maxLinesPerSecond || n > 4*maxLinesPerSecond {
		t.Errorf("%d lines", n)
	}
	for _, line := range lines {
		_, rest, _ := strings.Cut(line, "request=")
		if id, _, _ := strings.Cut(rest, " "); !ids[id] || !strings.Contains(line, "level=ERROR") || !strings.Contains(line, "the disk burns") {
			t.Errorf("line %q", line)
		}
	}
	s := new(sampler)
	now := time.Unix(1000, 0)
	for range maxLinesPerSecond + 5 {
		s.take(now)
	}
	if dropped, ok := s.take(now.Add(time.Second)); !ok || dropped != 5 {
		t.Errorf("%v, %d left out", ok, dropped)
	}
	if dropped, ok := s.take(now.Add(time.Second)); !ok || dropped != 0 {
		t.Errorf("%v, %d left out", ok, dropped)
	}
}
