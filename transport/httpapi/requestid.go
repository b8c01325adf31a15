package httpapi

import (
	"encoding/hex"
	"math/rand/v2"
	"net/http"
	"strings"

	"go.opentelemetry.io/otel/trace"
)

const (
	headerRequestID = "X-Request-Id" // as net/http spells it
	headerTrace     = "Traceparent"
	maxRequestID    = 64 // characters
)

// requestID is the id that the client gave, or the id of the trace that the request is part of, or a new one. One that
// could break a log or is too long counts as not given.
func requestID(h http.Header, span trace.SpanContext) string {
	if given := h[headerRequestID]; len(given) == 1 && isRequestID(given[0]) {
		return given[0]
	}
	if span.HasTraceID() {
		return span.TraceID().String()
	}
	if parent, ok := traceParentIn(h); ok {
		return parent.trace
	}
	return newRequestID()
}

func isRequestID(id string) bool {
	if id == "" || len(id) > maxRequestID {
		return false
	}
	for i := range len(id) {
		if c := id[i]; (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && !strings.ContainsRune("-_.:", rune(c)) {
			return false
		}
	}
	return true
}

// traceParent is what a W3C traceparent says, in lower-case hex.
type traceParent struct{ trace, span, flags string }

// traceParentIn is false when there is none, or none that is good.
func traceParentIn(h http.Header) (traceParent, bool) {
	if given := h[headerTrace]; len(given) == 1 {
		return parseTraceParent(given[0])
	}
	return traceParent{}, false
}

// parseTraceParent takes version, trace id, parent id and flags apart. Later versions may have more behind them.
func parseTraceParent(text string) (p traceParent, ok bool) {
	const whole = 2 + 1 + 32 + 1 + 16 + 1 + 2
	if len(text) < whole || text[2] != '-' || text[35] != '-' || text[52] != '-' {
		return p, false
	}
	version, rest := text[:2], text[whole:]
	p = traceParent{trace: text[3:35], span: text[36:52], flags: text[53:whole]}
	switch {
	case !isHex(version) || !isHex(p.trace) || !isHex(p.span) || !isHex(p.flags):
		return p, false
	case version == "ff" || strings.Trim(p.trace, "0") == "" || strings.Trim(p.span, "0") == "":
		return p, false
	case rest != "" && (version == "00" || rest[0] != '-'):
		return p, false
	}
	return p, true
}

func isHex(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// newRequestID looks like a trace id. It has to be unique, not secret.
func newRequestID() string {
	var random, text [32]byte
	for i, word := range [2]uint64{rand.Uint64(), rand.Uint64()} {
		for j := range 8 {
			random[8*i+j] = byte(word >> (8 * j))
		}
	}
	hex.Encode(text[:], random[:16])
	return string(text[:])
}
