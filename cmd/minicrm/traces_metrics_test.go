package main

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

// Catches: spans that are lost and that nobody counts, a refusal that counts as sent, spans of calls that are not traced.
func TestSpansAreCounted(t *testing.T) {
	for _, c := range []struct {
		status             int
		sampler            string
		ended, sent, fails int
	}{
		{http.StatusOK, "always_on", 3, 3, 0},
		{http.StatusBadRequest, "always_on", 3, 0, 3},
		{http.StatusOK, "always_off", 0, 0, 0},
	} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(c.status) }))
		t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", s.URL)
		t.Setenv("OTEL_TRACES_SAMPLER", c.sampler)
		r := prometheus.NewPedanticRegistry()
		traces, err := newTraces(slog.New(slog.DiscardHandler), r)
		check(t, err)
		for range 3 {
			_, span := traces.tracer().Start(t.Context(), "span")
			span.End()
		}
		traces.flush()
		s.Close()
		for name, want := range map[string]int{"": c.ended, "sent_": c.sent, "failed_": c.fails} {
			name = "minicrm_trace_spans_" + name + "total"
			if got := gathered(t, r, name); got != float64(want) {
				t.Errorf("%+v: %s is %v", c, name, got)
			}
		}
	}
}

// gathered is the value of a counter without labels.
func gathered(t *testing.T, r prometheus.Gatherer, name string) float64 {
	t.Helper()
	families, err := r.Gather()
	check(t, err)
	for _, f := range families {
		if f.GetName() == name {
			return f.GetMetric()[0].GetCounter().GetValue()
		}
	}
	t.Fatalf("there is no %s", name)
	return 0
}
