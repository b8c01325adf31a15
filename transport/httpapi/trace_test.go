package httpapi

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gin-gonic/gin"
	"go.opentelemetry.io/otel/attribute"
	otelcodes "go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
)

func newTracer() (trace.Tracer, *tracetest.SpanRecorder) {
	recorder := tracetest.NewSpanRecorder()
	return sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder)).Tracer("test"), recorder
}

// said is what a span says.
func said(s sdktrace.ReadOnlySpan) map[attribute.Key]string {
	values := map[attribute.Key]string{}
	for _, a := range s.Attributes() {
		values[a.Key] = a.Value.String()
	}
	return values
}

// Catches: a span that is not named by its route, one for a probe or for a path that does not exist, one with a path or a
// query that people wrote, a failure that does not look like one, a caller that is not named.
func TestSpansOfCalls(t *testing.T) {
	tracer, recorder := newTracer()
	keys, err := ParseKeys([]byte("- {name: shop-chat, role: admin, sha256: " + HashKey("mcrm_trace") + "}"))
	if err != nil {
		t.Fatal(err)
	}
	e := newEdge(t, func(o *Options) { o.Tracer, o.Guard.Keys = tracer, NewKeyring(keys) })
	for _, c := range []struct {
		method, target string
		name, path     string // "" = there is no span
		status         string
	}{
		{"GET", "/v1/sources?limit=7", "GET /v1/sources", "/v1/sources", "200"},
		{"GET", "/v1/contacts/12", "GET /v1/contacts/:id", "/v1/contacts/12", "404"},
		{"PUT", "/v1/sources/1/operators/ann", "PUT /v1/sources/:id/operators/:operator_id", "/v1/sources/:id/operators/:operator_id", "400"},
		{"HEAD", "/v1/leads/eve@example.org", "HEAD /v1/leads/:id", "/v1/leads/:id", "422"},
		{"GET", "/v1/eve@example.org", "", "", ""},
		{"PUT", "/v1/leads", "", "", ""},
		{"GET", "/readyz", "", "", ""},
		{"GET", "/docs", "", "", ""},
	} {
		recorder.Reset()
		req := e.request(c.method, c.target, http.NoBody)
		req.Header.Set("Authorization", "Bearer mcrm_trace")
		id := e.send(req).header.Get("X-Request-Id")
		spans := recorder.Ended()
		if c.name == "" {
			if len(spans) != 0 {
				t.Errorf("%s %s has the span %s", c.method, c.target, spans[0].Name())
			}
			continue
		}
		if len(spans) != 1 || spans[0].Name() != c.name || spans[0].SpanKind() != trace.SpanKindServer {
			t.Fatalf("%s %s: %v", c.method, c.target, spans)
		}
		got := said(spans[0])
		want := map[attribute.Key]string{
			"http.request.method": c.method, "http.route": c.name[len(c.method)+1:], "url.path": c.path, "url.scheme": "http",
			"http.response.status_code": c.status, "minicrm.caller": "shop-chat", "minicrm.request_id": id,
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s %s:\n got %v\nwant %v", c.method, c.target, got, want)
		}
		if id != spans[0].SpanContext().TraceID().String() {
			t.Errorf("%s %s: the request is %s, the trace %s", c.method, c.target, id, spans[0].SpanContext().TraceID())
		}
	}
}

// Catches: a 507 that does not count as an error, a request id that overrules a given one.
func TestSpanOfAFailure(t *testing.T) {
	tracer, recorder := newTracer()
	e := newEdge(t, func(o *Options) { o.Tracer, o.DiskLow = tracer, func() bool { return true } })
	req := e.request("POST", "/v1/snapshots", http.NoBody)
	req.Header.Set("X-Request-Id", "mine")
	if a := e.send(req); a.header.Get("X-Request-Id") != "mine" {
		t.Errorf("the request is %s", a.header.Get("X-Request-Id"))
	}
	s := recorder.Ended()[0]
	if got := said(s); s.Status().Code != otelcodes.Error || got["error.type"] != "507" || got["minicrm.request_id"] != "mine" {
		t.Errorf("%v: %v", s.Status(), got)
	}
}

// Catches: a traceparent that is read otherwise for the span than for the id, flags that are not obeyed.
func TestSpansContinueTheCallers(t *testing.T) {
	const caller = "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7"
	tracer, recorder := newTracer()
	e := newEdge(t, func(o *Options) { o.Tracer = tracer })
	for _, c := range []struct {
		parent             string
		continued, sampled bool
	}{
		{"00-" + caller + "-01", true, true},
		{"00-" + caller + "-03", true, true},
		{"01-" + caller + "-01-more", true, true},
		{"00-" + caller + "-00", true, false},
		{"00-" + caller + "-02", true, false},
		{"00-" + caller + "-1", false, true},
		{"ff-" + caller + "-01", false, true},
	} {
		recorder.Reset()
		req := e.request("GET", "/v1/sources", http.NoBody)
		req.Header.Set("Traceparent", c.parent)
		id := e.send(req).header.Get("X-Request-Id")
		spans := recorder.Ended()
		if (len(spans) == 1) != c.sampled || (id == caller[:32]) != c.continued {
			t.Fatalf("%s: %d spans, the request is %s", c.parent, len(spans), id)
		}
		if !c.sampled {
			continue
		}
		sc, parent := spans[0].SpanContext(), spans[0].Parent()
		if sc.TraceID().String() != id || parent.IsValid() != c.continued || c.continued && parent.SpanID().String() != caller[33:] {
			t.Errorf("%s: span %v of %v", c.parent, sc, parent)
		}
	}
}

// Catches: a call that pays for traces where nobody traces, also when its client does.
func TestNobodyTracesForNothing(t *testing.T) {
	a, allocs := newAPI(Options{}), -1.0
	e := newEngine()
	e.POST("/v1/contacts", func(c *gin.Context) {
		b := &call{Context: t.Context()}
		allocs = testing.AllocsPerRun(1000, func() {
			a.startSpan(c, b)
			endSpan(c, b)
		})
	})
	req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/contacts", http.NoBody)
	req.Header.Set("Traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
	e.ServeHTTP(httptest.NewRecorder(), req)
	if allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}
