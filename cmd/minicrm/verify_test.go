package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"minicrm/domain"
)

// verifyCase is a directory that is damaged in one way, and what is to be said of it.
type verifyCase struct {
	make func(*testing.T) *directory
	code int
	says []string
}

// These pass, the torn one with a warning.
var goodDirectories = map[string]verifyCase{
	"good": {func(t *testing.T) *directory {
		return newDirectory(t, 100).contacts(30)
	}, 0, []string{"records 1 to 61: 61 in 61", "state: 30 contacts, 30 leads, 1 operators, 1 sources"}},
	"good, with snapshots": {func(t *testing.T) *directory {
		return newDirectory(t, 100).contacts(40).snapshot().contacts(2).snapshot().contacts(3)
	}, 0, []string{"to 91: ", "good snapshots: 2", "state: 45 contacts"}},
	"new": {func(t *testing.T) *directory {
		d := newDirectory(t, 1)
		check(t, os.Truncate(d.segments()[0], 0))
		return d
	}, 0, []string{"no records"}},
	"torn": {func(t *testing.T) *directory {
		d := newDirectory(t, 100).contacts(30)
		change(t, d.segments()[len(d.segments())-1], tear)
		return d
	}, 0, []string{"warning: ", "torn record", "state: 29 contacts"}},
}

// These lost or changed bytes of the journal.
var damagedFiles = map[string]verifyCase{
	"flipped byte": {func(t *testing.T) *directory {
		d := newDirectory(t, 100).contacts(60)
		change(t, d.segments()[1], flip)
		return d
	}, 1, []string{"error: ", "corrupt record at offset"}},
	"missing segment": {func(t *testing.T) *directory {
		d := newDirectory(t, 100).contacts(60)
		check(t, os.Remove(d.segments()[1]))
		return d
	}, 1, []string{"error: ", "entries are missing"}},
	"missing first segment": {func(t *testing.T) *directory {
		d := newDirectory(t, 100).contacts(60)
		check(t, os.Remove(d.segments()[0]))
		return d
	}, 1, []string{"no good snapshot to begin from"}},
	"missing segment behind the snapshots": {func(t *testing.T) *directory {
		d := newDirectory(t, 300).contacts(60).snapshot().contacts(20).snapshot().contacts(60)
		check(t, os.Remove(d.segments()[0]))
		return d
	}, 1, []string{"needs the journal from entry"}},
	"missing end": {func(t *testing.T) *directory {
		d := newDirectory(t, 300).contacts(60).snapshot()
		check(t, os.Remove(d.segments()[len(d.segments())-1]))
		return d
	}, 1, []string{"it has lost records"}},
}

// These have snapshots or records that cannot be.
var badStates = map[string]verifyCase{
	"damaged snapshot": {func(t *testing.T) *directory {
		d := newDirectory(t, 100).contacts(40).snapshot().contacts(40).snapshot()
		change(t, d.snapshots()[0], flip)
		return d
	}, 1, []string{"damaged", "good snapshots: 1", "state: 80 contacts"}},
	"snapshot of another state": {func(t *testing.T) *directory {
		other := newDirectory(t, 99).contacts(40).snapshot()
		d := newDirectory(t, 100).contacts(40).snapshot().contacts(1)
		check(t, os.Rename(other.snapshots()[0], d.snapshots()[0]))
		return d
	}, 1, []string{"differs from what the journal leads to"}},
	"snapshot of another entry": {func(t *testing.T) *directory {
		return newDirectory(t, 100).contacts(10).snapshotOf(7)
	}, 1, []string{"is to be of entry 7"}},
	"two leads with one email": {func(t *testing.T) *directory {
		d := newDirectory(t, 100).contacts(3)
		d.add(&domain.LeadCreated{ID: 4, Email: "2@example.com", Name: "line\nbreak"})
		d.add(&domain.LeadCreated{ID: 5, Email: "5@example.com"})
		return d
	}, 1, []string{"one lead per email", "entry 8"}},
	"over max_load": {func(t *testing.T) *directory {
		d := newDirectory(t, 3).contacts(3)
		d.leads++
		d.commit(&domain.LeadCreated{ID: d.leads, Email: "4@example.com"})
		d.add(d.contact()...)
		return d
	}, 1, []string{"error: ", "cap: ", "offset"}},
}

// Catches: damage or an illegal history that is passed, or reported as something else, and a good directory that is not.
func TestVerifyStopped(t *testing.T) {
	for _, cases := range []map[string]verifyCase{goodDirectories, damagedFiles, badStates} {
		for name, c := range cases {
			t.Run(name, func(t *testing.T) {
				d := c.make(t)
				for _, says := range c.says {
					out := wantRun(t, c.code, says, "wal", "verify", d.path)
					if strings.Count(out, "error: ") > 2*c.code { // the last line says it again
						t.Errorf("more than one finding:\n%s", out)
					}
				}
			})
		}
	}
	wantRun(t, 1, "no journal", "wal", "verify", t.TempDir())
}

// busy posts contacts with large texts and closes them, so that segments and snapshots come and go, until it is stopped.
func busy(s *server, a *acknowledged) (stop func()) {
	ended := make(chan struct{})
	var wg sync.WaitGroup
	text := strings.Repeat("x", 8000)
	for conn := range 8 {
		wg.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-ended:
					return
				default:
				}
				var c contactJSON
				body := fmt.Sprintf(`{"source_id":1,"email":"%d-%d@example.com","text":%q}`, conn, i%50, text)
				if status, err := s.call("POST", "/v1/contacts", body, &c); err != nil || status != 201 {
					s.t.Errorf("post: status %d, %v", status, err)
					return
				}
				a.posted(c)
				if status, err := s.call("POST", fmt.Sprintf("/v1/contacts/%d/close", c.ID), "", nil); err != nil || status != 200 {
					s.t.Errorf("close: status %d, %v", status, err)
					return
				}
				a.close(c.ID)
			}
		})
	}
	return sync.OnceFunc(func() { close(ended); wg.Wait() })
}

func newAcknowledged() *acknowledged {
	return &acknowledged{contacts: map[int64]contactJSON{}, closed: map[int64]bool{}}
}

// Catches: a false error because the journal grows, or because segments and snapshots vanish, while they are read.
func TestVerifyRunningServer(t *testing.T) {
	data := memoryDir(t)
	s := startServer(t, data, "", "--snapshot-every", "700")
	s.furnish(1, 1000, []int{1, 2, 3})
	stop := busy(s, newAcknowledged())
	defer stop()
	dropped := func() bool {
		all := files(t, data, "journal", "[0-9]*")
		return len(all) > 0 && filepath.Base(all[0]) != fmt.Sprintf("%020d", 1)
	}
	after := 0
	for deadline := time.Now().Add(20 * time.Second); after < 4 && time.Now().Before(deadline); {
		if dropped() {
			after++
		}
		wantRun(t, 0, "state: ", "wal", "verify", data)
	}
	if after == 0 {
		t.Error("no segment was dropped")
	}
	stop()
	s.kill()
	wantRun(t, 0, "good snapshots: 2", "wal", "verify", data)
}
