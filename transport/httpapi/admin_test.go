package httpapi

import (
	"log/slog"
	"net/http"
	"strings"
	"testing"
)

func newAdminEdge(t *testing.T, change func(*Options)) (*edge, *slog.LevelVar) {
	e, level := newEdge(t), new(slog.LevelVar)
	o := Options{
		LogLevel: level,
		Logger:   slog.New(slog.NewTextHandler(e.log, nil)),
		Metrics:  http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("metrics")) }),
	}
	change(&o)
	e.handler, e.outside = NewAdmin(o), true
	return e, level
}

// Catches: an admin listener whose probes or metrics need a key that Prometheus and kubelets do not have, or whose
// profiles, which hold personal data, need none.
func TestAdminListener(t *testing.T) {
	e, level := newAdminEdge(t, func(o *Options) { o.Guard = Guard{Keys: newKeyring(t), NoProbes: true} })
	for path, want := range map[string]string{"/healthz": "ok", "/readyz": "ok", "/metrics": "metrics"} {
		if a := e.as("", "GET", path, ""); a.status != 200 || a.body != want {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
	for _, path := range []string{"/debug/pprof/", "/debug/pprof/heap", "/debug/pprof/cmdline", "/log-level"} {
		e.as("", "GET", path, "").problem(401, "unauthorized")
		e.as("all-chats", "GET", path, "").problem(403, "forbidden")
		if a := e.as("root", "GET", path, ""); a.status != 200 || a.body == "" {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
	e.as("watcher", "PUT", "/log-level", "debug").problem(403, "forbidden")
	changed := e.as("root", "PUT", "/log-level", "debug\n")
	if changed.status != 204 || level.Level() != slog.LevelDebug {
		t.Errorf("%d, level %v", changed.status, level)
	}
	line := "request=" + changed.header.Get("X-Request-Id") + " caller=root method=PUT route=/log-level level=debug"
	if a := e.as("watcher", "GET", "/log-level", ""); a.body != "debug" || !strings.Contains(e.log.String(), line) {
		t.Errorf("%s; log %s", a.body, e.log)
	}
	for _, bad := range []string{"", "loud", "debug info", strings.Repeat("debug", 100)} {
		e.as("root", "PUT", "/log-level", bad).problem(400, "malformed")
	}
	if level.Level() != slog.LevelDebug {
		t.Errorf("level %v", level)
	}
	e.as("root", "GET", "/v1/sources", "").problem(404, "not_found")
}

// Catches: probes that stay on the main listener when they were moved, and profiles that are there.
func TestProbesCanMove(t *testing.T) {
	metrics := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	moved := newEdge(t, func(o *Options) { o.Metrics, o.Guard.NoProbes = metrics, true })
	starting := newEdge(t)
	starting.handler = NewStarting(Options{Metrics: metrics, Guard: Guard{NoProbes: true}})
	for _, path := range []string{"/healthz", "/readyz", "/metrics"} {
		moved.do("GET", path, "").problem(404, "not_found")
		starting.do("GET", path, "").problem(503, "unavailable")
	}
	for _, path := range []string{"/debug/pprof/", "/debug/pprof/heap", "/log-level"} {
		moved.do("GET", path, "").problem(404, "not_found")
		newEdge(t, func(o *Options) { o.LogLevel = new(slog.LevelVar) }).do("GET", path, "").problem(404, "not_found")
	}
}
