package main

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// people are the words that people wrote, in forms in which a log could have them.
var people = []string{"zqmail", "zqname", "zqphone", "zqtext", "zqoperator", "zqsource", "zqkey"}

// Catches: personal data in a log line, a metric's label or a span, whatever happened: all calls, good and bad, at debug level, in
// both formats, with snapshots, an archive, an erasure, a kill and a recovery from a torn journal.
func TestNoPersonalDataInLogsAndMetrics(t *testing.T) {
	for _, format := range []string{"text", "json"} {
		t.Run(format, func(t *testing.T) {
			data := t.TempDir()
			traces, environment := newCollector(t, "OTEL_BSP_SCHEDULE_DELAY=10") // ms
			options := []string{"--log-level=debug", "--log-format=" + format, "--retain-closed=100ms"}
			s := startServer(t, data, environment, options...)
			s.liveThrough()
			logs, metrics := s.stderr.String(), s.metrics()
			exemplars, err := s.send("GET", "/metrics", "", "Accept", "application/openmetrics-text")
			check(t, err)
			if !strings.Contains(exemplars.body, " # {") {
				t.Error("the metrics have no exemplars")
			}
			s.kill()
			segments := files(t, data, "journal", "[0-9]*")
			change(t, segments[len(segments)-1], tear)
			s = startServer(t, data, environment, options...)
			s.liveThrough()
			if code := s.terminate(); code != 0 {
				t.Errorf("exit status %d", code)
			}
			logs += s.stderr.String()
			for _, line := range []string{"route", "request", "recovered", "torn", "ready", "archived", "snapshot"} {
				if !strings.Contains(logs, line) {
					t.Errorf("the logs have nothing about %q, so this test proves little:\n%s", line, logs)
				}
			}
			spans := traces.text()
			if !strings.Contains(spans, "/v1/contacts/:id/assign") {
				t.Error("the spans have nothing about an assignment, so this test proves little")
			}
			for name, text := range map[string]string{"logs": logs, "metrics": metrics, "exemplars": exemplars.body, "spans": spans} {
				for _, word := range people {
					if at := strings.Index(strings.ToLower(text), word); at >= 0 {
						t.Errorf("the %s have %q: %s", name, word, text[max(0, at-200):min(len(text), at+100)])
					}
				}
			}
		})
	}
}

// liveThrough makes every call, and every mistake that repeats what a client sent.
func (s *server) liveThrough() {
	s.t.Helper()
	s.must("POST", "/v1/operators", `{"name":"Zqoperator"}`, nil)
	s.must("POST", "/v1/sources", `{"name":"zqsource"}`, nil)
	s.must("PUT", "/v1/sources/1/operators/1", `{"weight":1}`, nil)
	unique := fmt.Sprint(len(list[leadJSON](s, "/v1/leads")))
	contact := fmt.Sprintf(`{"source_id":1,"email":"zqmail%s@example.org","name":"Zqname","phone":"zqphone","text":"zqtext"}`, unique)
	var c contactJSON
	s.must("POST", "/v1/contacts", contact, &c)
	for _, call := range []struct{ method, path, body string }{
		{"POST", "/v1/contacts", `{"source_id":1,"email":"zqmail zqmail","name":"zqname"}`},
		{"POST", "/v1/contacts", `{"source_id":1,"zqtext":"zqtext"}`},
		{"POST", "/v1/contacts", `{"source_id":1,"email":"zqmail@example.org"`},
		{"POST", "/v1/contacts", `{"source_id":99,"email":"zqmail@example.org"}`},
		{"POST", "/v1/contacts", `{"source_id":1,"email":"zqmail@example.org","text":"` + strings.Repeat("zqtext", 2000) + `"}`},
		{"POST", "/v1/leads", fmt.Sprintf(`{"email":"zqmail%s@example.org"}`, unique)},
		{"PATCH", "/v1/leads/1", `{"name":"zqname","phone":"zqphone"}`},
		{"PATCH", "/v1/operators/1", `{"name":"zqoperator"}`},
		{"GET", "/v1/leads?email=zqmail" + unique + "@example.org", ""},
		{"GET", "/v1/leads?email=zqmail%20zqmail", ""},
		{"GET", "/v1/leads?zqname=zqname", ""},
		{"GET", "/zqmail@example.org?zqtext", ""},
		{"ZQTEXT", "/v1/leads", ""},
		{"GET", "/v1/contacts/zqtext", ""},
		{"GET", "/metrics?zqtext", ""},
		{"POST", fmt.Sprintf("/v1/contacts/%d/assign", c.ID), `{"operator_id":1,"force":true}`},
		{"POST", fmt.Sprintf("/v1/contacts/%d/release", c.ID), ""},
		{"GET", fmt.Sprintf("/v1/contacts/%d/history", c.ID), ""},
		{"GET", fmt.Sprintf("/v1/contacts/%d/decision", c.ID), ""},
		{"POST", fmt.Sprintf("/v1/contacts/%d/close", c.ID), `{"reason":"zqtext"}`},
		{"PATCH", "/v1/operators/1", `{"external_id":"zqoperator","username":"zqoperator"}`},
		{"GET", "/integrations/rocketchat/next?zqname=zqname", ""},
		{"POST", "/v1/contacts/batch", `[{"source_id":1,"email":"zqmail zqmail"},{"source_id":1,"email":"zqmail@example.org","zqname":1},"zqtext",{"source_id":99,"email":"zqmail@example.org"}]`},
		{"POST", "/v1/contacts/batch", `[{"email":"zqmail@example.org"`},
		{"POST", "/v1/snapshots", ""},
	} {
		if status, err := s.call(call.method, call.path, call.body, nil); err != nil || status >= 500 {
			s.t.Errorf("%s %s: %d %v", call.method, call.path, status, err)
		}
	}
	s.sendWithHeaders(unique)
	s.awaitGone(fmt.Sprintf("/v1/contacts/%d", c.ID))
	s.must("DELETE", fmt.Sprintf("/v1/leads/%d", c.Lead), "", nil)
	s.must("POST", "/v1/leads", fmt.Sprintf(`{"email":"zqmail-last%s@example.org","name":"Zqname"}`, unique), nil)
}

// sendWithHeaders makes the calls whose headers have what people wrote: a batch of lines, keys that come twice, good and
// bad, a trace's state.
func (s *server) sendWithHeaders(unique string) {
	s.t.Helper()
	one := fmt.Sprintf(`{"source_id":1,"email":"zqmail-key%s@example.org","text":"zqtext"}`, unique)
	for _, c := range []struct {
		path, body string
		headers    []string
	}{
		{"/v1/contacts/batch", one + "\n{\"zqtext\n" + one, []string{"Content-Type", "application/x-ndjson"}},
		{"/v1/contacts", one, []string{"Idempotency-Key", "zqkey" + unique}},
		{"/v1/contacts", one, []string{"Idempotency-Key", "zqkey" + unique}},
		{"/v1/contacts", strings.Replace(one, "zqtext", "zqtext zqtext", 1), []string{"Idempotency-Key", "zqkey" + unique}},
		{"/v1/contacts", one, []string{"Idempotency-Key", "zqkey zqkey"}},
		{"/v1/contacts", one, []string{"X-Request-Id", "zqmail@example.org", "Traceparent", "00-zqtext", "Tracestate", "zqtext=1", "Baggage", "zqname=1"}},
		{"/v1/contacts", one, []string{"Content-Type", "zqtext/zqtext", "User-Agent", "zqname", "Referer", "https://example.org/zqname", "Origin", "https://zqname.example.org"}},
	} {
		if got, err := s.send("POST", c.path, c.body, c.headers...); err != nil || got.status >= 500 {
			s.t.Errorf("%s %q: %d %v", c.path, c.headers, got.status, err)
		}
	}
}

func (s *server) metrics() string {
	s.t.Helper()
	return s.with("zqkey").text("/metrics")
}

// text is what a path answers that is not JSON.
func (s *server) text(path string) string {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.base+path, http.NoBody)
	check(s.t, err)
	got, err := s.client.Do(req)
	check(s.t, err)
	defer func() { _ = got.Body.Close() }() // it was read to its end
	text, err := io.ReadAll(got.Body)
	check(s.t, err)
	return string(text)
}

// Catches: what verify says of a bad record, which people copy into tickets, with personal data in it.
func TestVerifyShowsNoPersonalData(t *testing.T) {
	d := newDirectory(t, 10).contacts(3)
	d.add(d.contact()...) // the same contact again
	d.close()
	out, code := runToEnd(t, "wal", "verify", d.path)
	if code == 0 || !strings.Contains(out, "record") || strings.Contains(out, "hello") || strings.Contains(out, "@") {
		t.Errorf("exit status %d:\n%s", code, out)
	}
}
