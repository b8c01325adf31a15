package httpapi

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	dto "github.com/prometheus/client_model/go"
)

// series lists the edge's metrics by name and label values.
func (e *edge) series() map[string]*dto.Metric {
	e.t.Helper()
	families, err := e.metrics.Gather()
	if err != nil {
		e.t.Fatal(err)
	}
	all := map[string]*dto.Metric{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			var labels strings.Builder
			for _, l := range m.GetLabel() {
				labels.WriteString(" " + l.GetValue())
			}
			all[f.GetName()+labels.String()] = m
		}
	}
	return all
}

// metric is the value of a gauge or counter without labels.
func (e *edge) metric(name string) float64 {
	e.t.Helper()
	m := e.series()[name]
	if m == nil {
		e.t.Fatalf("no metric %s", name)
	}
	return m.GetGauge().GetValue() + m.GetCounter().GetValue()
}

// Catches: paths, or methods that clients make up, as labels (each would be a series for ever); statuses recorded
// before they are known; calls that are not counted because they were refused early or panicked.
func TestCallsAreCountedByTemplate(t *testing.T) {
	e := newFailingEdge(t, failingHouse{panic: "boom"})
	e.source()
	for i := range 20 {
		e.do("GET", fmt.Sprintf("/v1/sources/%d", i), "")
		e.do("GET", fmt.Sprintf("/nothing/%d", i), "")
		e.do(fmt.Sprintf("BREW%d", i), "/v1/sources", "")
	}
	e.do("POST", "/v1/contacts", post)
	e.do("POST", "/v1/contacts", `{`)
	got := e.series()
	for labels, want := range map[string]uint64{
		"POST /v1/sources 201":    1,
		"GET /v1/sources/:id 200": 1,
		"GET /v1/sources/:id 404": 18,
		"GET /v1/sources/:id 422": 1,
		"GET other 404":           20,
		"other other 405":         20,
		"POST /v1/contacts 500":   1,
		"POST /v1/contacts 400":   1,
	} {
		m := got["minicrm_http_request_duration_seconds "+labels]
		if n := m.GetHistogram().GetSampleCount(); n != want {
			t.Errorf("%s: %d calls, want %d", labels, n, want)
		}
		delete(got, "minicrm_http_request_duration_seconds "+labels)
	}
	if len(got) != 1+len(limits) {
		t.Errorf("more series than wanted: %v", got)
	}
}

// Catches: a /metrics that does not have the given handler, or that exists without one.
func TestMetricsRoute(t *testing.T) {
	newEdge(t).do("GET", "/metrics", "").problem(404, "not_found")
	e := newEdge(t)
	served := newEdge(t, func(o *Options) { o.Metrics = promhttp.HandlerFor(e.metrics, promhttp.HandlerOpts{}) })
	if a := served.do("GET", "/metrics", ""); a.status != 200 || !strings.Contains(a.body, `minicrm_http_refused_total{limit="in_flight"} 0`) {
		t.Errorf("%d %s", a.status, a.body)
	}
}

// Catches: health that depends on readiness (an orchestrator would kill a process that replays), a readiness that is
// asked once, or that does not say why.
func TestHealthAndReadiness(t *testing.T) {
	reason := errors.New("replaying the journal")
	e := newEdge(t, func(o *Options) { o.Ready = func() error { return reason } })
	for range 2 {
		if a := e.do("GET", "/healthz", ""); a.status != 200 || a.body != "ok" {
			t.Errorf("%d %s", a.status, a.body)
		}
		if p := e.do("GET", "/readyz", "").problem(503, "unavailable"); !strings.Contains(p.Detail, "replaying the journal") {
			t.Errorf("detail %q", p.Detail)
		}
	}
	reason = nil
	for _, path := range []string{"/readyz", "/healthz"} {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			if a := e.do(method, path, ""); a.status != 200 {
				t.Errorf("%s %s: %d %s", method, path, a.status, a.body)
			}
		}
	}
	if a := newEdge(t).do("GET", "/readyz", ""); a.status != 200 {
		t.Errorf("without Ready: %d", a.status)
	}
}
