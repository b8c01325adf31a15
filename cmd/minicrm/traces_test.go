package main

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	collectorpb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// collector takes what is exported.
type collector struct {
	t  *testing.T
	mu sync.Mutex

	raw      bytes.Buffer
	resource map[string]any
	spans    []*tracepb.Span
	headers  http.Header // of the last export
}

// newCollector is a collector, and the shell commands with which a process sends its traces there.
func newCollector(t *testing.T, variables ...string) (*collector, string) {
	c := &collector{t: t}
	s := httptest.NewServer(c)
	t.Cleanup(s.Close)
	return c, tracesTo(s.URL, variables...)
}

func tracesTo(url string, variables ...string) string {
	return "export OTEL_EXPORTER_OTLP_ENDPOINT=" + url + " " + strings.Join(variables, " ")
}

func (c *collector) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	body, err := io.ReadAll(r.Body)
	var sent collectorpb.ExportTraceServiceRequest
	if err == nil {
		err = proto.Unmarshal(body, &sent)
	}
	if err != nil || r.URL.Path != "/v1/traces" || r.Header.Get("Content-Type") != "application/x-protobuf" {
		c.t.Errorf("%s to %s: %v", r.Header.Get("Content-Type"), r.URL, err)
	}
	c.raw.Write(body)
	c.headers = r.Header
	for _, of := range sent.ResourceSpans {
		c.resource = attributes(of.Resource.Attributes)
		for _, scope := range of.ScopeSpans {
			c.spans = append(c.spans, scope.Spans...)
		}
	}
}

func (c *collector) text() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.raw.String()
}

// of are the spans of a trace, by when they began.
func (c *collector) of(traceID string) (spans []*tracepb.Span) {
	for _, s := range c.spans {
		if hex.EncodeToString(s.TraceId) == traceID {
			spans = append(spans, s)
		}
	}
	slices.SortFunc(spans, func(a, b *tracepb.Span) int { return int(a.StartTimeUnixNano) - int(b.StartTimeUnixNano) })
	return spans
}

func attributes(all []*commonpb.KeyValue) map[string]any {
	values := map[string]any{}
	for _, a := range all {
		switch v := a.Value.Value.(type) {
		case *commonpb.AnyValue_StringValue:
			values[a.Key] = v.StringValue
		case *commonpb.AnyValue_IntValue:
			values[a.Key] = v.IntValue
		case *commonpb.AnyValue_DoubleValue:
			values[a.Key] = v.DoubleValue
		}
	}
	return values
}

const callersSpan = "00f067aa0ba902b7"

// traced makes a call with a traceparent, if any, and returns the id of its trace, by which the answer names it.
func (s *server) traced(parent, method, path, body string, status int) string {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.base+path, strings.NewReader(body))
	check(s.t, err)
	req.Header.Set("Content-Type", "application/json")
	if parent != "" {
		req.Header.Set("Traceparent", parent)
		req.Header.Set("Tracestate", "vendor=eve")
	}
	resp, err := s.client.Do(req)
	check(s.t, err)
	if err := resp.Body.Close(); err != nil || resp.StatusCode != status {
		s.t.Errorf("%s %s: status %d, want %d, %v", method, path, resp.StatusCode, status, err)
	}
	return resp.Header.Get("X-Request-Id")
}

// Catches: spans with another name, parent or order, a traceparent that is not continued or not obeyed, a batch size or a
// wait for the fsync that is not the journal's, people's data in a span, a stop that loses the last spans, variables of
// OpenTelemetry that do nothing.
func TestTraces(t *testing.T) {
	t.Parallel()
	c, environment := newCollector(t, "OTEL_EXPORTER_OTLP_HEADERS=authorization=secret", "OTEL_RESOURCE_ATTRIBUTES=deployment.environment.name=test")
	s := startServer(t, t.TempDir(), environment)
	s.furnish(1, 10, []int{1, 2})

	const one, two = "11111111111111111111111111111111", "22222222222222222222222222222222"
	contact := `{"source_id":1,"email":"eve@example.org","name":"Eve","phone":"+49 30 1234567","text":"private"}`
	s.traced("00-"+one+"-"+callersSpan+"-01", "POST", "/v1/contacts", contact, 201)
	s.traced("00-"+two+"-"+callersSpan+"-00", "POST", "/v1/contacts", contact, 201) // the caller did not sample it
	batch := s.traced("", "POST", "/v1/contacts/batch", "["+contact+","+contact+","+contact+"]", 200)
	closed := s.traced("", "POST", "/v1/contacts/1/close", "", 200)
	found := s.traced("", "GET", "/v1/leads?email=eve%40example.org", "", 200)
	wrong := s.traced("", "GET", "/v1/leads/eve@example.org", "", 422)
	probe := s.traced("", "GET", "/readyz", "", 200)
	if code := s.terminate(); code != 0 {
		t.Errorf("exit status %d", code)
	}

	c.mu.Lock()
	defer c.mu.Unlock()
	if got := attributes(c.check(one, callersSpan, "POST /v1/contacts", "leads", "source", "journal")[0].Attributes); got["http.request.method"] != "POST" ||
		got["http.route"] != "/v1/contacts" || got["http.response.status_code"] != int64(201) || got["url.path"] != "/v1/contacts" ||
		got["minicrm.request_id"] != one {
		t.Errorf("the span of the post says %v", got)
	}
	if got := attributes(c.check(batch, "", "POST /v1/contacts/batch", "leads", "source", "journal")[0].Attributes); got["minicrm.batch.contacts"] != int64(3) {
		t.Errorf("the span of the batch says %v", got)
	}
	c.check(closed, "", "POST /v1/contacts/:id/close", "source", "journal")
	c.check(found, "", "GET /v1/leads")
	if got := attributes(c.check(wrong, "", "GET /v1/leads/:id")[0].Attributes); got["url.path"] != "/v1/leads/:id" {
		t.Errorf("the span of a path with an email says %v", got)
	}
	if len(c.of(two)) > 0 || len(c.of(probe)) > 0 {
		t.Error("a call that was not sampled, or a probe, has spans")
	}
	for _, word := range []string{"eve@", "example.org", "Eve", "1234567", "private", "vendor"} {
		if strings.Contains(c.raw.String(), word) {
			t.Errorf("%q was exported", word)
		}
	}
	if c.headers.Get("Authorization") != "secret" || c.resource["service.name"] != "minicrm" || c.resource["deployment.environment.name"] != "test" {
		t.Errorf("exported with %v for %v", c.headers, c.resource)
	}
}

// check wants a trace to be the span of a call, and one of each of these actors in it, in order.
func (c *collector) check(traceID, parent, name string, actors ...string) []*tracepb.Span {
	c.t.Helper()
	spans := c.of(traceID)
	if len(spans) != 1+len(actors) {
		c.t.Fatalf("%s: %v", name, spans)
	}
	call := spans[0]
	if call.Name != name || call.Kind != tracepb.Span_SPAN_KIND_SERVER || hex.EncodeToString(call.ParentSpanId) != parent {
		c.t.Errorf("%s: %v", name, call)
	}
	last := call.StartTimeUnixNano
	for i, s := range spans[1:] {
		if s.Name != actors[i] || !bytes.Equal(s.ParentSpanId, call.SpanId) {
			c.t.Errorf("%s: want a span of %s, got %v", name, actors[i], s)
		}
		if s.StartTimeUnixNano < last || s.EndTimeUnixNano < s.StartTimeUnixNano || s.EndTimeUnixNano > call.EndTimeUnixNano {
			c.t.Errorf("%s: the span of %s is not between those of the one before and the call: %v", name, s.Name, s)
		}
		last = s.EndTimeUnixNano
		if s.Name == "journal" {
			checkJournalSpan(c.t, s)
		}
	}
	return spans
}

func checkJournalSpan(t *testing.T, s *tracepb.Span) {
	t.Helper()
	a := attributes(s.Attributes)
	records, _ := a["minicrm.journal.records"].(int64)
	size, _ := a["minicrm.journal.bytes"].(int64)
	index, _ := a["minicrm.journal.index"].(int64)
	wait, _ := a["minicrm.wait_seconds"].(float64)
	fsync, _ := a["minicrm.journal.fsync_seconds"].(float64)
	took := time.Duration(s.EndTimeUnixNano - s.StartTimeUnixNano).Seconds()
	if records < 1 || size < 10*records || index < 5+records || wait <= 0 || fsync <= 0 || wait+fsync > took+0.001 { // spans have the wall clock, waits the monotonic one
		t.Errorf("in %v s the journal says %v", took, a)
	}
}

// Catches: a service that waits for a collector that hangs, also at its end, or that fails with it.
func TestTracesToOneThatHangs(t *testing.T) {
	t.Parallel()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0") // nobody accepts
	check(t, err)
	defer func() { _ = l.Close() }()
	s := startServer(t, t.TempDir(), tracesTo("http://"+l.Addr().String(), "OTEL_BSP_MAX_QUEUE_SIZE=8"))
	s.furnish(1, 10, []int{1})
	s.postSome(50)
	start := time.Now()
	code := s.terminate()
	if took := time.Since(start); code != 0 || took > flushTimeout+5*time.Second {
		t.Errorf("exit status %d after %v", code, took)
	}
	if !strings.Contains(s.stderr.String(), "the last traces were not sent") {
		t.Errorf("it did not say that spans were lost:\n%s", s.stderr)
	}
}

// Catches: a log that is flooded because the collector is away, or that says nothing of it.
func TestTracesToNobody(t *testing.T) {
	t.Parallel()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	check(t, err)
	check(t, l.Close())
	// Each span fails for itself.
	s := startServer(t, t.TempDir(), tracesTo("http://"+l.Addr().String(), "OTEL_BSP_MAX_EXPORT_BATCH_SIZE=1"))
	s.furnish(1, 10, []int{1})
	s.postSome(50)
	if code := s.terminate(); code != 0 {
		t.Errorf("exit status %d", code)
	}
	if lines := strings.Count(s.stderr.String(), "msg=traces"); lines != 1 {
		t.Errorf("%d lines about it:\n%s", lines, s.stderr)
	}
}

func (s *server) postSome(n int) {
	s.t.Helper()
	for i := range n {
		s.must("POST", "/v1/contacts", fmt.Sprintf(`{"source_id":1,"email":"%d@example.org"}`, i), nil)
	}
}

// Catches: traces that nobody asked for, or that somebody asked not to be sent.
func TestTracesAreOffUnlessWanted(t *testing.T) {
	silent := slog.New(slog.DiscardHandler)
	for _, c := range []struct {
		endpoint, disabled, exporter string
		want                         bool
	}{
		{"", "", "", false}, {"", "false", "otlp", false},
		{"http://127.0.0.1:4318", "", "", true}, {"http://127.0.0.1:4318", "false", "otlp", true},
		{"http://127.0.0.1:4318", "TRUE", "", false}, {"http://127.0.0.1:4318", "", "none", false},
		{"http://127.0.0.1:4318", "", "console", false},
	} {
		t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", c.endpoint)
		t.Setenv("OTEL_SDK_DISABLED", c.disabled)
		t.Setenv("OTEL_TRACES_EXPORTER", c.exporter)
		got, err := newTraces(silent, prometheus.NewRegistry())
		check(t, err)
		if (got.tracer() != nil) != c.want {
			t.Errorf("%+v: %v", c, got)
		}
		got.flush()
	}
}
