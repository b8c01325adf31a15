package httpapi

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// Catches: an id that is not passed on, one that could forge log lines or fill them, ids that repeat.
func TestRequestIDs(t *testing.T) {
	const trace = "4bf92f3577b34da6a3ce929d0e0e4736"
	const parent = "00-" + trace + "-00f067aa0ba902b7-01"
	e := newEdge(t)
	fresh := regexp.MustCompile(`^[0-9a-f]{32}$`)
	seen := map[string]bool{}
	for _, c := range []struct {
		name string
		h    http.Header
		want string // "" = a fresh one
	}{
		{"none", nil, ""},
		{"none again", nil, ""},
		{"given", http.Header{"X-Request-Id": {"a1-B.c_d:e"}}, "a1-B.c_d:e"},
		{"given and traced", http.Header{"X-Request-Id": {"mine"}, "Traceparent": {parent}}, "mine"},
		{"traced", http.Header{"Traceparent": {parent}}, trace},
		{"bad, but traced", http.Header{"X-Request-Id": {"a b"}, "Traceparent": {parent}}, trace},
		{"longest", http.Header{"X-Request-Id": {strings.Repeat("x", 64)}}, strings.Repeat("x", 64)},
		{"too long", http.Header{"X-Request-Id": {strings.Repeat("x", 65)}}, ""},
		{"empty", http.Header{"X-Request-Id": {""}}, ""},
		{"two", http.Header{"X-Request-Id": {"a", "b"}}, ""},
		{"line break", http.Header{"X-Request-Id": {"a\nlevel=ERROR"}}, ""},
		{"not ASCII", http.Header{"X-Request-Id": {"ä"}}, ""},
		{"email", http.Header{"X-Request-Id": {"eve@example.org"}}, ""},
		{"later version", http.Header{"Traceparent": {"01-" + trace + "-00f067aa0ba902b7-01-more"}}, trace},
		{"no version", http.Header{"Traceparent": {"ff-" + trace + "-00f067aa0ba902b7-01"}}, ""},
		{"more in version 0", http.Header{"Traceparent": {parent + "-more"}}, ""},
		{"zeros", http.Header{"Traceparent": {"00-00000000000000000000000000000000-00f067aa0ba902b7-01"}}, ""},
		{"upper case", http.Header{"Traceparent": {strings.ToUpper(parent)}}, ""},
		{"short", http.Header{"Traceparent": {parent[:54]}}, ""},
	} {
		req := e.request("GET", "/v1/sources", nil)
		req.Header = c.h
		got := e.send(req).header["X-Request-Id"]
		switch {
		case len(got) != 1:
			t.Errorf("%s: %q", c.name, got)
		case c.want == "" && (!fresh.MatchString(got[0]) || seen[got[0]]), c.want != "" && got[0] != c.want:
			t.Errorf("%s: %q, want %q", c.name, got[0], c.want)
		default:
			seen[got[0]] = true
		}
	}
}
