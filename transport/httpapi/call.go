package httpapi

import (
	"context"
	"net/http"

	"github.com/gin-gonic/gin"
	"go.opentelemetry.io/otel/trace"
)

// call is what the edge knows of a request before any handler reads it: its id, who sends it and its span. It is the request's
// context, so that whoever is handed that context can ask.
type call struct {
	context.Context
	id  [1]string // in the form of a header's value, so that the answer needs no copy
	key *Key      // nil = nobody had to show one

	span trace.Span // nil = nobody traces
}

// callKey finds the call in a context.
type callKey struct{}

// Value implements context.Context.
func (c *call) Value(key any) any {
	if key == (callKey{}) {
		return c
	}
	return c.Context.Value(key)
}

// begin gives a request its span, where somebody traces, and its id, which also goes back to the client.
func (a *api) begin(c *gin.Context) *call {
	b := &call{Context: c.Request.Context()}
	a.startSpan(c, b)
	b.id[0] = requestID(c.Request.Header, b.spanContext())
	c.Request = c.Request.WithContext(b)
	c.Writer.Header()[headerRequestID] = b.id[:]
	return b
}

func callOf(ctx context.Context) *call {
	found, _ := ctx.Value(callKey{}).(*call)
	return found
}

// Caller is the name of the key with which a command came in; "" = no keys are in use. The context is the one that the
// Dispatcher is given.
func Caller(ctx context.Context) string {
	if found := callOf(ctx); found != nil && found.key != nil {
		return found.key.Name
	}
	return ""
}

// RequestID is the id of the request behind a context; "" = there is none.
func RequestID(ctx context.Context) string {
	if found := callOf(ctx); found != nil {
		return found.id[0]
	}
	return ""
}

// caller is the key with which the request came in; nil = no keys are in use, and everything is allowed.
func caller(r *http.Request) *Key {
	if found := callOf(r.Context()); found != nil {
		return found.key
	}
	return nil
}
