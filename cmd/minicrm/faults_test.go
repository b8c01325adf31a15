package main

import (
	"bufio"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// fault is what the kernel answers from some moment on, in the place of doing what it was asked: the calls under
// tidwall/wal and under ours are the real ones.
type fault struct {
	call, says string // strace's
	path       string // of the data directory: only calls that have to do with it; empty = all
	snapshot   bool   // ask for one then
	fatal      string // what the process says when it ends; empty = it goes on, and only the snapshot fails
}

var faults = map[string]fault{
	"fsync of the segment":   {"fsync", "error=EIO", "journal/00000000000000000001", false, "input/output error"},
	"some fsync of it later": {"fsync", "error=EIO:when=7", "journal/00000000000000000001", false, "input/output error"},
	"write to the segment":   {"write", "error=ENOSPC", "journal/00000000000000000001", false, "no space left on device"},
	"no bytes written":       {"write", "retval=0", "journal/00000000000000000001", false, "unexpected EOF"},
	"fsync of the directory": {"fsync", "error=EIO", "journal", true, "input/output error"},
	"cut of the segment":     {"ftruncate", "error=EIO", "journal/00000000000000000001", true, "input/output error"},
	"close of the segment":   {"close", "error=EIO", "journal/00000000000000000001", true, "input/output error"},
	"no new file":            {"openat", "error=EMFILE", "", true, ""},
	"name of a snapshot":     {"fsync", "error=EIO", "snapshots", true, ""},
	"rename of a snapshot":   {"renameat", "error=EIO", "", true, ""},
	"removal of a segment":   {"unlinkat", "error=EACCES", "", true, ""},
}

// Catches: an error of a call under the library that is not heard, and one under a snapshot that ends the service; an end
// without a word or with status 0; an acknowledged contact that is lost then, and a journal that is not whole.
func TestFaultsOfTheKernel(t *testing.T) {
	if _, err := exec.LookPath("strace"); err != nil {
		t.Skipf("no strace here: %v", err)
	}
	buildPlain(t)
	for name, f := range faults {
		t.Run(name, func(t *testing.T) { f.try(t) })
	}
}

func (f fault) try(t *testing.T) {
	data := t.TempDir()
	a := newAcknowledged()
	s := startServer(t, data, "", "--snapshot-every=0")
	s.furnish(3, 1000, []int{1, 2, 3})
	driven := make(chan struct{})
	go func() {
		defer close(driven)
		drive(s, a, 1<<40, 0) // until the server is gone
	}()
	a.await(t, 200)
	snapshots := 1
	if f.call == "unlinkat" {
		snapshots = 2 // one alone removes nothing
	}
	for range snapshots - 1 {
		s.must("POST", "/v1/snapshots", "", nil)
	}
	detach := f.inject(t, s, data)
	status := 0
	if f.snapshot {
		status, _ = s.call("POST", "/v1/snapshots", "", nil) // without an answer if it ends the process
	}
	if f.fatal == "" {
		f.wantGoingOn(t, s, a, status, detach)
	} else {
		f.wantEnd(t, s)
		detach()
	}
	<-driven
	wantRun(t, 0, "", "wal", "verify", data)
	s = startServer(t, data, "")
	verify(t, s, a)
	if code := s.terminate(); code != 0 {
		t.Errorf("after a clean start: exit status %d", code)
	}
	wantRun(t, 0, "", "wal", "verify", data)
}

// inject makes the calls of a running process fail until detach is called.
func (f fault) inject(t *testing.T, s *server, data string) (detach func()) {
	t.Helper()
	args := []string{"-f", "-o", "/dev/null", "-e", "trace=" + f.call, "-e", "inject=" + f.call + ":" + f.says}
	if f.path != "" {
		args = append(args, "-P", filepath.Join(data, f.path))
	}
	cmd := exec.Command("strace", append(args, "-p", fmt.Sprint(s.cmd.Process.Pid))...) //nolint:noctx // it ends in detach
	stderr, err := cmd.StderrPipe()
	check(t, err)
	check(t, cmd.Start())
	lines := bufio.NewScanner(stderr)
	if !lines.Scan() || !strings.Contains(lines.Text(), "attached") {
		_ = cmd.Wait()
		t.Skipf("strace cannot attach here: %s", lines.Text())
	}
	return func() {
		_ = cmd.Process.Signal(syscall.SIGINT) // it may have ended with the server
		for lines.Scan() {
			continue
		}
		_ = cmd.Wait() // its status says how it was ended
	}
}

func (f fault) wantEnd(t *testing.T, s *server) {
	t.Helper()
	if !within(15*time.Second, s.exited) {
		t.Fatal("the process goes on")
	}
	said := s.stderr.String()
	if code := s.cmd.ProcessState.ExitCode(); code != 1 || !strings.Contains(said, "fatal: ") || !strings.Contains(said, f.fatal) {
		t.Errorf("exit status %d, and it said:\n%s", code, said)
	}
}

// wantGoingOn wants commits while snapshots fail, and a snapshot when they do not fail any more.
func (f fault) wantGoingOn(t *testing.T, s *server, a *acknowledged, status int, detach func()) {
	t.Helper()
	a.await(t, a.count()+100)
	if said := s.stderr.String(); status < 500 || !strings.Contains(said, "level=ERROR") {
		t.Errorf("the snapshot got status %d, and the server said:\n%s", status, said)
	}
	detach()
	s.must("POST", "/v1/snapshots", "", nil)
	if code := s.terminate(); code != 0 {
		t.Errorf("exit status %d", code)
	}
}

func (a *acknowledged) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.contacts)
}

// await waits until so many contacts were acknowledged.
func (a *acknowledged) await(t *testing.T, n int) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for limit := time.After(20 * time.Second); a.count() < n; {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("%d contacts were acknowledged, and %d are waited for", a.count(), n)
		}
	}
}
