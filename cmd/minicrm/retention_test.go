package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
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
	if code := s.terminate(); code != 0 || strings.Contains(s.stderr.String(), "DATA RACE") {
		t.Errorf("exit status %d", code)
	}
}

// awaitGone waits for a 410.
func (s *server) awaitGone(path string) {
	const want = 410
	s.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	got := 0
	for limit := time.After(15 * time.Second); got != want; {
		got, _ = s.call("GET", path, "", nil)
		select {
		case <-tick.C:
		case <-limit:
			s.t.Fatalf("GET %s: status %d, want %d", path, got, want)
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
