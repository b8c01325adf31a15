package httpapi

import (
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

// Catches: any body, whatever is in it, that is a 500, or that is answered with something that is not JSON.
func FuzzContactBody(f *testing.F) {
	for _, seed := range []string{
		post, `{}`, ``, `null`, `[]`, `{"source_id":1,"email":"a@b"}`, `{"source_id":1e400,"email":"a@b"}`, `{"source_id":"x","email":{},"x":1}`,
		`{"source_id":1,"source_id":1}`, `{"email":"\u0000@\ud800"}`, "{\"\xff\":1}", `{"text":"` + strings.Repeat("x", 9000) + `"}`, `{"a/b~c":1}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		e := newEdge(t)
		e.source()
		a := e.send(e.request("POST", "/v1/contacts", strings.NewReader(body)))
		if !slices.Contains([]int{201, 400, 404, 413, 422}, a.status) || e.log.Len() > 0 {
			t.Errorf("%q: %d %s %s", body, a.status, a.body, e.log)
		}
		if !jsontext.Value(a.body).IsValid() {
			t.Errorf("%q: not JSON: %q", body, a.body)
		}
	})
}

// Catches: the same for paths and queries.
func FuzzTarget(f *testing.F) {
	for _, seed := range []string{"/v1/contacts?status=open&limit=2&after=1", "/v1/leads?email=%ff", "/v1/sources/%2e%2e/operators", "/v1//", "/", "/v1/contacts/%00?%00=%ff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, target string) {
		e := newEdge(t)
		req := e.request("GET", "/", nil)
		parsed, err := req.URL.Parse(target)
		if err != nil || parsed.Host != req.URL.Host {
			return
		}
		req.URL = parsed
		if a := e.send(req); a.status >= 500 || e.log.Len() > 0 {
			t.Errorf("%q: %d %s %s", target, a.status, a.body, e.log)
		}
	})
}
