package main

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
)

// Catches: a start that does not say what runs, on which data and where, or that says what was before a restart wrongly; a block
// in pieces; and one among the lines of JSON, where nothing can read it.
func TestStartSaysWhatRuns(t *testing.T) {
	data := t.TempDir()
	s := startServer(t, data, "")
	s.furnish(2, 1, []int{1})
	for range 3 {
		s.must("POST", "/v1/contacts", `{"source_id":1,"email":"eve@example.org"}`, nil)
	}
	if code := s.terminate(); code != 0 {
		t.Fatalf("exit status %d", code)
	}
	s = startServer(t, data, "", "--admin-listen=127.0.0.1:0", "--log-level=debug", "--log-format=text")
	block := regexp.MustCompile(`\nminicrm \S+ \(revision .*\) go1\S+ \S+/\S+
  data     ` + regexp.QuoteMeta(data) + `
  state    9 records in \S+: 1 operators, 2 sources, 2 contacts waiting
  serves   ` + regexp.QuoteMeta(s.base) + ` \(HTTP/1\.1, HTTP/2 without TLS\)
  access   no keys: .*
  admin    http://127\.0\.0\.1:\d+ \(.*
  log      debug, text
`)
	if !block.MatchString(s.stderr.String()) {
		t.Errorf("it said\n%s", s.stderr)
	}
	s.kill()
	s = startServer(t, data, "", "--log-format=json")
	found := false
	for line := range strings.Lines(strings.TrimSpace(s.stderr.String())) {
		var said struct {
			Msg, Level, Listen, Data, Version    string
			Records, Operators, Sources, Waiting int
		}
		if err := json.Unmarshal([]byte(line), &said); err != nil {
			t.Errorf("%q: %v", line, err)
		}
		if said.Msg == "ready" {
			found = said.Data == data && "http://"+said.Listen == s.base && strings.Contains(said.Version, "revision") &&
				said.Records == 9 && said.Operators == 1 && said.Sources == 2 && said.Waiting == 2
		}
	}
	if !found {
		t.Errorf("it said\n%s", s.stderr)
	}
}
