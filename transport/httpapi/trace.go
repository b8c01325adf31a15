package httpapi

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"
	"go.opentelemetry.io/otel/attribute"
	otelcodes "go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// Each call under /v1 and /integrations has a span, where somebody traces: one of a server, by OpenTelemetry's
// conventions for HTTP, that continues the client's traceparent. It is in the call's context, where the dispatcher finds
// it. Like a line of the log it has nothing that people wrote: of the client's text no query, no header but the two that
// name the request, and of the path the ids alone.

func isTraced(route string) bool {
	return strings.HasPrefix(route, "/v1/") || strings.HasPrefix(route, "/integrations/")
}

// startSpan begins a call's span.
func (a *api) startSpan(c *gin.Context, b *call) {
	route := c.FullPath()
	if a.tracer == nil || !isTraced(route) {
		return
	}
	if parent, ok := traceParentIn(c.Request.Header); ok {
		b.Context = trace.ContextWithRemoteSpanContext(b.Context, parent.context())
	}
	b.Context, b.span = a.tracer.Start(b.Context, c.Request.Method+" "+route, trace.WithSpanKind(trace.SpanKindServer))
}

// context is who called. Its tracestate is left out: a client could write anything there, and we call nobody.
func (p traceParent) context() trace.SpanContext {
	id, _ := trace.TraceIDFromHex(p.trace) // what was parsed is good
	span, _ := trace.SpanIDFromHex(p.span)
	flags, _ := strconv.ParseUint(p.flags, 16, 8)
	return trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: id, SpanID: span, TraceFlags: trace.TraceFlags(flags) & trace.FlagsSampled, Remote: true,
	})
}

// spanContext is invalid when the call is not traced.
func (c *call) spanContext() (sc trace.SpanContext) {
	if c.span != nil {
		sc = c.span.SpanContext()
	}
	return sc
}

// endSpan says what became of a call.
func endSpan(c *gin.Context, b *call) {
	if b.span == nil {
		return
	}
	if b.span.IsRecording() {
		describeSpan(c, b)
	}
	b.span.End()
}

func describeSpan(c *gin.Context, b *call) {
	scheme, status := "http", c.Writer.Status()
	if c.Request.TLS != nil {
		scheme = "https"
	}
	b.span.SetAttributes(
		attribute.String("http.request.method", c.Request.Method),
		attribute.String("http.route", c.FullPath()),
		attribute.String("url.path", safePath(c)),
		attribute.String("url.scheme", scheme),
		attribute.Int("http.response.status_code", status),
		attribute.String("minicrm.request_id", b.id[0]),
	)
	if b.key != nil {
		b.span.SetAttributes(attribute.String("minicrm.caller", b.key.Name))
	}
	if status >= http.StatusInternalServerError {
		b.span.SetAttributes(attribute.String("error.type", strconv.Itoa(status)))
		b.span.SetStatus(otelcodes.Error, "")
	}
}

// safePath is the path of a call, unless there is something else than ids where ids belong: then the route's template.
func safePath(c *gin.Context) string {
	for _, p := range c.Params {
		if _, ok := parseID(p.Value); !ok {
			return c.FullPath()
		}
	}
	return c.Request.URL.Path
}

// traceBatch says on a traced call how many contacts it brought.
func (r *request) traceBatch(contacts int) {
	if span := callOf(r.c.Request.Context()).span; span != nil {
		span.SetAttributes(attribute.Int("minicrm.batch.contacts", contacts))
	}
}
