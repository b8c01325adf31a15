package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
)

// Catches: a load that reports what it did not check, or that exits as if all was well when it was not.
func TestLoadCommand(t *testing.T) {
	s := startServer(t, t.TempDir(), "")
	args := func(target string, more ...string) []string {
		return append([]string{"load", target, "--warmup=0s", "--duration=0s", "--contacts=600", "--leads=300", "--operators=9", "--links=6", "--sources=3"}, more...)
	}
	out, code := runToEnd(t, args(s.base, "--json", "--reads=10")...)
	var report struct {
		Posted int64 `json:"contacts_posted"`
		Shares struct {
			Judged int `json:"judged_sources"`
		} `json:"shares"`
		Findings []any `json:"findings"`
	}
	if err := json.Unmarshal([]byte(out), &report); err != nil || code != 0 {
		t.Fatalf("exit status %d, %v:\n%s", code, err, out)
	}
	if report.Posted != 600 || report.Shares.Judged != 3 || len(report.Findings) != 0 {
		t.Errorf("it said:\n%s", out)
	}
	out, code = runToEnd(t, args(wrongStatus(t, s.base))...)
	if code != 1 || !strings.Contains(out, "WRONG, 600 times: post: status 200") {
		t.Errorf("exit status %d:\n%s", code, out)
	}
	out, code = runToEnd(t, args("http://127.0.0.1:1")...)
	if code != 1 || !strings.Contains(out, "set up: POST /v1/operators") {
		t.Errorf("exit status %d:\n%s", code, out)
	}
}

// wrongStatus is a proxy that answers 200 where the service says 201 for a contact.
func wrongStatus(t *testing.T, base string) string {
	target, err := url.Parse(base)
	check(t, err)
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) },
		ModifyResponse: func(r *http.Response) error {
			if r.Request.URL.Path == "/v1/contacts" {
				r.StatusCode = http.StatusOK
			}
			return nil
		},
	}
	server := httptest.NewServer(proxy)
	t.Cleanup(server.Close)
	return server.URL
}
