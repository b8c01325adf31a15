package httpapi

import (
	"encoding/hex"
	"math/rand/v2"
	"net/http"
	"strings"
)

const (
	headerRequestID = "X-Request-Id" // as net/http spells it
	headerTrace     = "Traceparent"
	maxRequestID    = 64 // characters
)

// requestID is the id that the client gave, or the trace id of its traceparent, or a new one. One that could break a log
// or is too long counts as not given.
func requestID(h http.Header) string {
	if given := h[headerRequestID]; len(given) == 1 && isRequestID(given[0]) {
		return given[0]
	}
	if given := h[headerTrace]; len(given) == 1 {
		if id, ok := traceID(given[0]); ok {
			return id
		}
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

// traceID is the trace id of a W3C traceparent: version, trace id, parent id and flags in lower-case hex. Later versions
// may have more behind it.
func traceID(parent string) (string, bool) {
	const whole = 2 + 1 + 32 + 1 + 16 + 1 + 2
	if len(parent) < whole || parent[2] != '-' || parent[35] != '-' || parent[52] != '-' {
		return "", false
	}
	version, id, span, flags := parent[:2], parent[3:35], parent[36:52], parent[53:whole]
	rest := parent[whole:]
	switch {
	case !isHex(version) || !isHex(id) || !isHex(span) || !isHex(flags):
		return "", false
	case version == "ff" || strings.Trim(id, "0") == "" || strings.Trim(span, "0") == "":
		return "", false
	case rest != "" && (version == "00" || rest[0] != '-'):
		return "", false
	}
	return id, true
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
