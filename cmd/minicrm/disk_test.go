package main

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// smallDisk is a file system of its own, of so many bytes. It needs the right to mount; without it the test cannot be.
func smallDisk(t *testing.T, size int) string {
	t.Helper()
	dir := t.TempDir()
	mount := exec.CommandContext(t.Context(), "mount", "-t", "tmpfs", "-o", fmt.Sprintf("size=%d", size), "tmpfs", dir)
	if out, err := mount.CombinedOutput(); err != nil {
		t.Skipf("cannot mount a small disk here: %v %s", err, out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil { //nolint:noctx // the test's context has ended
			t.Errorf("umount: %v %s", err, out)
		}
	})
	return dir
}

// fill posts large contacts until one is not taken, and returns those that were, and the last status (0 = no answer).
func fill(s *server, most int) (acked []int64, status int) {
	text := strings.Repeat("x", 8000)
	for i := range most {
		var c contactJSON
		body := fmt.Sprintf(`{"source_id":1,"email":"%d@example.com","text":%q}`, i, text)
		status, err := s.call("POST", "/v1/contacts", body, &c)
		if err != nil {
			return acked, 0
		}
		if status != http.StatusCreated {
			return acked, status
		}
		acked = append(acked, c.ID)
	}
	return acked, http.StatusCreated
}

// Catches: commands that are taken until the disk is really full, reads that are refused with them, and a refusal that
// stays when there is room again.
func TestNearlyFullDisk(t *testing.T) {
	data := smallDisk(t, 24<<20)
	s := startServer(t, data, "", "--min-free-disk", "8MiB")
	s.furnish(1, 1000, []int{1})
	ballast := filepath.Join(data, "ballast")
	check(t, os.WriteFile(ballast, make([]byte, 12<<20), 0o600))
	acked, status := fill(s, 3000)
	if status != http.StatusInsufficientStorage {
		t.Fatalf("after %d contacts: status %d", len(acked), status)
	}
	for _, id := range acked {
		s.must("GET", fmt.Sprintf("/v1/contacts/%d", id), "", nil)
	}
	check(t, os.Remove(ballast))
	deadline := time.Now().Add(10 * time.Second)
	for time.Now().Before(deadline) {
		if _, status = fill(s, 1); status == http.StatusCreated {
			break
		}
	}
	if status != http.StatusCreated {
		t.Errorf("status %d although there is room again", status)
	}
	if code := s.terminate(); code != 0 {
		t.Errorf("exit status %d", code)
	}
}

// Catches: an acknowledged contact that is lost, or a half-written one that is there, when the disk fills for real.
func TestFullDisk(t *testing.T) {
	data := smallDisk(t, 6<<20)
	s := startServer(t, data, "", "--min-free-disk", "0B")
	s.furnish(1, 1000, []int{1})
	acked, status := fill(s, 3000)
	if status != 0 {
		t.Fatalf("after %d contacts: status %d", len(acked), status)
	}
	<-s.exited
	if code := s.cmd.ProcessState.ExitCode(); code != 1 || !strings.Contains(s.stderr.String(), "no space left") {
		t.Errorf("exit status %d", code)
	}
	grow := exec.CommandContext(t.Context(), "mount", "-o", "remount,size=64m", data)
	if out, err := grow.CombinedOutput(); err != nil {
		t.Fatalf("remount: %v %s", err, out)
	}
	again := startServer(t, data, "")
	contacts := list[contactJSON](again, "/v1/contacts")
	if len(contacts) != len(acked) {
		t.Errorf("%d contacts were acknowledged, %d are there", len(acked), len(contacts))
	}
	for _, id := range acked {
		again.must("GET", fmt.Sprintf("/v1/contacts/%d", id), "", nil)
	}
}
