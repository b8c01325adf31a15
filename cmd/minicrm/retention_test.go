package main

import (
	"bufio"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"minicrm/persistence"
)

// Catches: a closed contact that stays, that is forgotten without being in the archive, or that comes back after a kill; an
// archive that zstdcat and jq cannot read; a person who is left in it.
func TestRetention(t *testing.T) {
	data := t.TempDir()
	t.Setenv("MINICRM_RETAIN_CLOSED", "100ms")
	s := startServer(t, data, "")
	s.furnish(1, 100, []int{1})
	for i := range 3 {
		s.must("POST", "/v1/contacts", fmt.Sprintf(`{"source_id":1,"email":"p%d@example.com","name":"Ann","text":"secret"}`, i), nil)
	}
	for _, id := range []int{1, 2} {
		s.must("POST", fmt.Sprintf("/v1/contacts/%d/close", id), "", nil)
	}
	s.awaitGone("/v1/contacts/1")
	s.awaitGone("/v1/contacts/2")
	if all := list[contactJSON](s, "/v1/contacts"); len(all) != 1 || all[0].ID != 3 {
		t.Errorf("the list has %+v", all)
	}
	s.must("DELETE", "/v1/leads/1", "", nil)
	s.kill()
	s = startServer(t, data, "")
	s.awaitGone("/v1/contacts/1")
	s.awaitGone("/v1/leads/1")
	if got := readArchive(t, data); got != "1 p0@example.com Ann secret closed\n2 p1@example.com Ann secret closed\n" {
		t.Errorf("the archive has:\n%s", got)
	}
	out, code := runToEnd(t, "archive", "erase", "--data", data, "--lead", "1")
	if code != 0 || !strings.Contains(out, "of 1 archived") {
		t.Errorf("exit status %d: %s", code, out)
	}
	s.must("POST", "/v1/contacts/3/close", "", nil) // the server goes on appending to the file that was rewritten
	s.awaitGone("/v1/contacts/3")
	if got := readArchive(t, data); got != "1    closed\n2 p1@example.com Ann secret closed\n3 p2@example.com Ann secret closed\n" {
		t.Errorf("after the erasure the archive has:\n%s", got)
	}
	s.must("POST", "/v1/contacts", `{"source_id":1,"email":"zoë@bücher.example"}`, nil)
	s.must("POST", "/v1/contacts/4/close", "", nil)
	s.awaitGone("/v1/contacts/4")
	for email, want := range map[string]string{"ZOË@Bücher.Example": "of 1 archived", "no email": "error"} {
		if out, _ := runToEnd(t, "archive", "erase", "--data", data, "--email", email); !strings.Contains(out, want) {
			t.Errorf("archive erase --email %s says %s", email, out)
		}
	}
	if n := s.metric("minicrm_archive_contacts_total"); n != 2 {
		t.Errorf("since the restart %v contacts were archived", n)
	}
	if code := s.terminate(); code != 0 || strings.Contains(s.stderr.String(), "DATA RACE") {
		t.Errorf("exit status %d", code)
	}
}

// Catches: a person who is left in the journal, in what was cut off it, or in a snapshot, after the snapshots that the answer
// names; a figure that says so too early; a directory that cannot be opened then.
func TestErasedFromTheJournal(t *testing.T) {
	data := t.TempDir()
	s := startServer(t, data, "", "--snapshot-every=0")
	s.furnish(1, 100, []int{1})
	s.must("POST", "/v1/contacts", `{"source_id":1,"email":"eve@example.com","text":"secret"}`, nil)
	s.must("POST", "/v1/contacts/1/close", "", nil)
	torn := filepath.Join(data, "journal", "torn-00000000000000000001-9-1")
	check(t, os.WriteFile(torn, []byte("eve@example.com"), 0o600))
	var said struct {
		Index uint64 `json:"index"`
		After int    `json:"journal_erased_after_snapshots"`
	}
	s.must("DELETE", "/v1/leads/1", "", &said)
	for left := said.After; ; left-- {
		found, oldest := grepJournal(t, data, "eve@example.com"), s.metric("minicrm_journal_oldest_record")
		if gone := left == 0; found == gone || gone != (oldest > float64(said.Index)) {
			t.Errorf("with %d snapshots to come, she is in the journal: %v, and its oldest record is %v", left, found, oldest)
		}
		if left == 0 {
			break
		}
		s.must("POST", "/v1/snapshots", "", nil)
		s.must("POST", "/v1/contacts", `{"source_id":1,"email":"adam@example.com","text":"hello"}`, nil)
	}
	if !grepJournal(t, data, "adam@example.com") {
		t.Error("what came later is not in the journal")
	}
	s.kill()
	files, err := persistence.Snapshots(data)
	check(t, err)
	for _, file := range files {
		catalog, _, err := persistence.ReadSnapshot(file.Path)
		check(t, err)
		if lead, _ := catalog.Lead(1); !lead.Erased() {
			t.Errorf("she is in %s: %+v", file.Path, lead)
		}
	}
	if out, code := runToEnd(t, "wal", "verify", data); code != 0 {
		t.Errorf("wal verify: exit status %d\n%s", code, out)
	}
	s = startServer(t, data, "")
	if all := list[contactJSON](s, "/v1/contacts"); len(all) != 3 {
		t.Errorf("after a restart there are %+v", all)
	}
}

// grepJournal says whether some file beside the journal's lock has a text.
func grepJournal(t *testing.T, data, text string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(data, "journal", "*"))
	check(t, err)
	for _, file := range files {
		b, err := os.ReadFile(file)
		check(t, err)
		if strings.Contains(string(b), text) {
			return true
		}
	}
	return false
}

// metric reads a figure without labels.
func (s *server) metric(name string) float64 {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.base+"/metrics", http.NoBody)
	check(s.t, err)
	resp, err := s.client.Do(req)
	check(s.t, err)
	defer func() { _ = resp.Body.Close() }() // it was read to its end
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		if value, ok := strings.CutPrefix(lines.Text(), name+" "); ok {
			f, err := strconv.ParseFloat(value, 64)
			check(s.t, err)
			return f
		}
	}
	s.t.Fatalf("there is no metric %s", name)
	return 0
}

// awaitGone waits until a read answers 410.
func (s *server) awaitGone(path string) {
	s.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	got := 0
	for limit := time.After(15 * time.Second); got != http.StatusGone; {
		got, _ = s.call("GET", path, "", nil)
		select {
		case <-tick.C:
		case <-limit:
			s.t.Fatalf("GET %s: status %d, want 410", path, got)
		}
	}
}

// readArchive reads the archive as its users do.
func readArchive(t *testing.T, data string) string {
	t.Helper()
	for _, tool := range []string{"zstdcat", "jq"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("no %s here", tool)
		}
	}
	files, err := filepath.Glob(filepath.Join(data, "archive", "*.ndjson.zst"))
	check(t, err)
	script := `zstdcat "$@" | jq -r '"\(.id) \(.lead_email) \(.lead_name) \(.text) \(.status)"'`
	cmd := exec.CommandContext(t.Context(), "sh", append([]string{"-c", script, "sh"}, files...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	check(t, err)
	return string(out)
}
