package main

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// soFar is a copy of what was acknowledged up to now.
func (a *acknowledged) soFar() *acknowledged {
	a.mu.Lock()
	defer a.mu.Unlock()
	return &acknowledged{contacts: maps.Clone(a.contacts), closed: maps.Clone(a.closed)}
}

// Catches: a backup under load that lacks what was acknowledged before, or that no server starts on, while segments and
// snapshots come and go.
func TestBackupOfRunningServer(t *testing.T) {
	data, to := memoryDir(t), memoryDir(t)
	s := startServer(t, data, "", "--snapshot-every", "700")
	s.furnish(1, 1000, []int{1, 2, 3})
	a := newAcknowledged()
	stop := busy(s, a)
	defer stop()
	targets := map[string]*acknowledged{}
	for _, name := range []string{"a", "b"} {
		more := len(a.soFar().contacts) + 300
		for deadline := time.Now().Add(20 * time.Second); len(a.soFar().contacts) < more && time.Now().Before(deadline); {
			s.must("GET", "/v1/contacts?limit=1", "", nil)
		}
		target := filepath.Join(to, name)
		targets[target] = a.soFar()
		wantRun(t, 0, "point --data at it", "backup", data, target, "--server", s.base)
	}
	stop()
	s.kill()
	for target, acked := range targets {
		segments := files(t, target, "journal", "[0-9]*")
		change(t, segments[len(segments)-1], func(b []byte) []byte {
			if len(b) > len(withoutRoom(b)) {
				t.Errorf("the copy has %d bytes, %d of them room", len(b), len(b)-len(withoutRoom(b)))
			}
			return b
		})
		restored := startServer(t, target, "")
		verify(t, restored, acked)
		restored.must("POST", "/v1/contacts", `{"source_id":1,"email":"new@example.com"}`, nil)
		restored.kill()
	}
}

// Catches: a copy of a live directory without its server, or with another one; a target that is overwritten, or left
// with half a backup.
func TestBackupRefuses(t *testing.T) {
	data, to := memoryDir(t), filepath.Join(memoryDir(t), "target")
	s := startServer(t, data, "")
	s.furnish(1, 5, []int{1})
	other := startServer(t, memoryDir(t), "")
	other.furnish(2, 5, []int{1, 2})
	wantRun(t, 1, "--server", "backup", data, to)
	wantRun(t, 1, "another server's data", "backup", data, to, "--server", other.base)
	wantRun(t, 1, "ask the server", "backup", data, to, "--server", "http://127.0.0.1:1")
	wantRun(t, 1, "404 Not Found", "backup", data, to, "--server", s.base+"/nowhere")
	if _, err := os.Stat(to); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the target is there: %v", err)
	}
	wantRun(t, 1, "not empty", "backup", data, data, "--server", s.base)
	check(t, os.Mkdir(to, 0o750))
	wantRun(t, 0, "", "backup", data, to, "--server", s.base)
	wantRun(t, 1, "not empty", "backup", data, to, "--server", s.base)
}

// Catches: a backup of a stopped directory that takes a damaged snapshot, more than it needs, or damage along.
func TestBackupOfStopped(t *testing.T) {
	d := newDirectory(t, 300).contacts(60).snapshot().contacts(20).snapshot().contacts(20)
	d.close()
	to := filepath.Join(memoryDir(t), "target")
	wantRun(t, 0, "state: 100 contacts", "backup", d.path, to)
	snapshots, segments := files(t, to, "snapshots", "*"), files(t, to, "journal", "*")
	if len(snapshots) != 1 || len(segments) == 0 || len(segments) >= len(d.segments()) {
		t.Errorf("copied %v and %v of %v", snapshots, segments, d.segments())
	}
	restored := startServer(t, to, "")
	if n := len(list[contactJSON](restored, "/v1/contacts")); n != 100 {
		t.Errorf("%d contacts", n)
	}

	change(t, d.snapshots()[1], flip)
	wantRun(t, 0, "state: 100 contacts", "backup", d.path, to+"-older")
	wantRun(t, 0, "state: 100 contacts", "wal", "verify", to+"-older")

	change(t, d.segments()[len(d.segments())-2], flip)
	wantRun(t, 1, "corrupt record", "backup", d.path, to+"-none")
	if _, err := os.Stat(to + "-none"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the target is there: %v", err)
	}

	all := newDirectory(t, 300).contacts(60)
	all.close()
	wantRun(t, 0, "records 1 to 121", "backup", all.path, to+"-all")
}
