package httpapi

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
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
	if len(got) != 2+len(limits) { // two gauges
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

// Catches: an exemplar of each request, none of a slow one among the fast, and one without the request's id.
func TestExemplars(t *testing.T) {
	m := newMetrics(prometheus.NewRegistry(), new(places).count, new(places).count)
	key, start := seriesKey{"POST", "/v1/contacts", 201}, noon
	see := func(request string, after, took time.Duration) {
		m.observe(key, request, start.Add(after), took)
	}
	see("first", 0, time.Millisecond)
	see("second", time.Second/2, time.Millisecond)
	see("slow", time.Second/2, time.Second)
	see("third", 2*time.Second, 20*time.Millisecond)
	var got dto.Metric
	if err := m.duration.WithLabelValues("POST", "/v1/contacts", "201").(prometheus.Metric).Write(&got); err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, b := range got.GetHistogram().GetBucket() {
		if e := b.GetExemplar(); e != nil {
			ids = append(ids, e.GetLabel()[0].GetName()+" "+e.GetLabel()[0].GetValue())
		}
	}
	if want := []string{"request_id first", "request_id third", "request_id slow"}; !slices.Equal(ids, want) {
		t.Errorf("exemplars %v, want %v", ids, want)
	}
	if n := got.GetHistogram().GetSampleCount(); n != 4 || len(got.GetHistogram().GetPositiveSpan()) == 0 {
		t.Errorf("%d observations, native buckets %v", n, got.GetHistogram().GetPositiveSpan())
	}
}

// Catches: a label that is looked up, or made, for each call. Exemplars and new native buckets cost allocations, which are
// rare, and which the average rounds down.
func TestMetricsAllocateNothing(t *testing.T) {
	m := newMetrics(prometheus.NewRegistry(), new(places).count, new(places).count)
	key, start := seriesKey{"POST", "/v1/contacts", 201}, noon
	n := 0
	allocs := testing.AllocsPerRun(10_000, func() {
		n++
		start = start.Add(10 * time.Microsecond)
		m.observe(key, "0123456789abcdef", start, time.Duration(n%5000)*time.Microsecond)
	})
	if allocs != 0 {
		t.Errorf("%v allocations a call", allocs)
	}
}

// Catches: a limit whose refusals count as another's, or nowhere.
func TestRefusalsAreCountedByLimit(t *testing.T) {
	low := true
	e := newEdge(t, func(o *Options) { o.DiskLow = func() bool { return low } })
	e.do("POST", "/v1/sources", `{"name":"a"}`).problem(507, "disk_low")
	low = false
	e.do("POST", "/v1/sources", `{"name":"`+strings.Repeat("a", maxBody)+`"}`).problem(413, "too_large")
	e.do("POST", "/v1/sources", `{"name":"a"}`).ok()
	for limit, want := range map[string]float64{"disk": 1, "body": 1, "in_flight": 0, "rate": 0, "backlog": 0} {
		if got := e.metric("minicrm_http_refused_total " + limit); got != want {
			t.Errorf("%s: %v refusals, want %v", limit, got, want)
		}
	}
}
