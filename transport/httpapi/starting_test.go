package httpapi

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// Catches: a process that looks dead while it recovers, that looks ready, or that answers 404 for what is there soon.
func TestStarting(t *testing.T) {
	h := NewStarting(Options{Ready: func() error { return errors.New("recovering, 43%") }})
	for _, c := range []struct {
		method, path string
		status       int
		says         string
	}{
		{"GET", "/healthz", 200, "ok"},
		{"GET", "/readyz", 503, "recovering, 43%"},
		{"GET", "/v1/contacts", 503, "recovering, 43%"},
		{"POST", "/v1/contacts", 503, "unavailable"},
	} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), c.method, c.path, http.NoBody))
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.says) || (w.Code == 503) != (w.Header().Get("Retry-After") != "") {
			t.Errorf("%s %s: %d %s", c.method, c.path, w.Code, w.Body)
		}
	}
}

// Catches: commands that are taken on a full disk, reads that are refused, and a refusal that outlasts the lack.
func TestDiskLow(t *testing.T) {
	low := false
	e := newEdge(t, func(o *Options) { o.DiskLow = func() bool { return low } })
	e.source()
	low = true
	e.do("POST", "/v1/contacts", post).problem(507, "disk_low")
	e.do("GET", "/v1/sources", "").ok()
	low = false
	e.do("POST", "/v1/contacts", post).ok()
}

// Catches: a snapshot call that changes something, or does not say how far it reaches.
func TestTakeSnapshot(t *testing.T) {
	e := newEdge(t)
	e.source()
	if a := e.do("POST", "/v1/snapshots", ""); a.status != 201 || a.body != `{"index":1}` {
		t.Errorf("%d %s", a.status, a.body)
	}
}
