package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// Catches: a stop that drops requests in flight, leaves the journal torn, or exits as if it had failed.
func TestTerminateAnswersWhatIsInFlight(t *testing.T) {
	data := t.TempDir()
	s := startServer(t, data, "")
	s.furnish(1, 1000, []int{1, 2, 3})
	var mu sync.Mutex
	var wg sync.WaitGroup
	var count atomic.Int64
	var acked []int64
	started := make(chan struct{})
	for conn := range 16 {
		wg.Go(func() {
			for i := 0; ; i++ {
				var c contactJSON
				body := fmt.Sprintf(`{"source_id":1,"email":"%d-%d@example.com"}`, conn, i)
				status, err := s.call("POST", "/v1/contacts", body, &c)
				if err != nil { // refused or cut off before it was read: the server said nothing
					return
				}
				if status != http.StatusCreated {
					t.Errorf("status %d", status)
					return
				}
				mu.Lock()
				acked = append(acked, c.ID)
				mu.Unlock()
				if count.Add(1) == 500 {
					close(started)
				}
			}
		})
	}
	<-started
	if code := s.terminate(); code != 0 {
		t.Errorf("exit status %d", code)
	}
	wg.Wait()
	if strings.Contains(s.stderr.String(), "DATA RACE") {
		t.Error("the race detector found something")
	}
	journal := readJournal(t, data).contacts
	for _, id := range acked {
		if _, ok := journal[id]; !ok {
			t.Errorf("contact %d was acknowledged and is not in the journal", id)
		}
	}
	if torn, _ := filepath.Glob(filepath.Join(data, "journal", "torn-*")); len(torn) > 0 {
		t.Errorf("torn: %v", torn)
	}
}

// Catches: a journal error that is swallowed, answered as a success, or waited out. The process may write files of
// 32 KiB at most; a write beyond that is an error, as on a full disk.
func TestJournalErrorEndsTheProcess(t *testing.T) {
	data := t.TempDir()
	s := startServer(t, data, `trap "" XFSZ; ulimit -f 64`)
	s.furnish(1, 1000, []int{1})
	var acked []int64
	for i := range 1000 {
		var c contactJSON
		body := fmt.Sprintf(`{"source_id":1,"email":"%d@example.com","text":%q}`, i, strings.Repeat("x", 500))
		if status, err := s.call("POST", "/v1/contacts", body, &c); err != nil || status != http.StatusCreated {
			break
		}
		acked = append(acked, c.ID)
	}
	<-s.exited
	if code := s.cmd.ProcessState.ExitCode(); code != 1 {
		t.Errorf("exit status %d", code)
	}
	if said := s.stderr.String(); !strings.Contains(said, "fatal") || !strings.Contains(said, "file too large") {
		t.Errorf("it said:\n%s", said)
	}
	if len(acked) < 20 || len(acked) == 1000 {
		t.Errorf("%d contacts were acknowledged", len(acked))
	}
	again := startServer(t, data, "")
	for _, id := range acked {
		again.must("GET", fmt.Sprintf("/v1/contacts/%d", id), "", nil)
	}
}

// Catches: a second process that writes into the same journal, and a damaged journal that is read.
func TestRefusesToStart(t *testing.T) {
	data := t.TempDir()
	s := startServer(t, data, "")
	s.furnish(1, 5, []int{1})
	refuse := func(why string) {
		t.Helper()
		out, code := runToEnd(t, "serve", "--listen", "127.0.0.1:0", "--data", data)
		if code == 0 || !strings.Contains(out, why) {
			t.Errorf("exit status %d, want a refusal with %q:\n%s", code, why, out)
		}
	}
	refuse("in use by another process")
	if code := s.terminate(); code != 0 {
		t.Errorf("exit status %d", code)
	}
	name := filepath.Join(data, "journal", fmt.Sprintf("%020d", 1))
	b, err := os.ReadFile(name)
	check(t, err)
	b[len(b)/2] ^= 1
	check(t, os.WriteFile(name, b, 0o600))
	refuse("corrupt record at offset")
}
