package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

// runTool runs the binary to its end, without the second that the race detector waits at an exit.
func runTool(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0")
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	_ = cmd.Run() // the exit status says it all
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// wantRun checks what a tool says and how it ends.
func wantRun(t *testing.T, want int, says string, args ...string) (out string) {
	t.Helper()
	stdout, stderr, code := runTool(t, args...)
	out = stdout + stderr
	if code != want || !strings.Contains(out, says) {
		t.Errorf("%v: exit status %d, want %d and %q:\n%s", args, code, want, says, out)
	}
	return out
}

// eventJSON is what a dump says of an event.
type eventJSON struct {
	Index    uint64
	At       time.Time
	Event    string
	ID       int64
	Source   int64 `json:"source_id"`
	Lead     int64 `json:"lead_id"`
	Operator int64 `json:"operator_id"`
	Email    string
	Name     *string
	Text     string
	How      string
	Rows     []int
}

func dumped(t *testing.T, args ...string) (events []eventJSON) {
	t.Helper()
	out, errs, code := runTool(t, append([]string{"wal", "dump", "--json"}, args...)...)
	if code != 0 || errs != "" {
		t.Fatalf("exit status %d: %s", code, errs)
	}
	lines := json.NewDecoder(strings.NewReader(out))
	for {
		var e eventJSON
		err := lines.Decode(&e)
		if errors.Is(err, io.EOF) {
			return events
		}
		check(t, err)
		events = append(events, e)
	}
}

// Catches: events that are left out, out of order, or with other values than the API shows; text that breaks a line.
func TestDump(t *testing.T) {
	data := memoryDir(t)
	s := startServer(t, data, "")
	s.furnish(2, 1000, []int{1, 2, 3})
	for i := range 40 {
		body := fmt.Sprintf(`{"source_id":%d,"email":"%d@example.com","text":"a\n\"b\" \u001b[31m %d"}`, 1+i%2, i%7, i)
		s.must("POST", "/v1/contacts", body, nil)
	}
	s.must("PATCH", "/v1/leads/3", `{"name":"Zoë"}`, nil)
	for id := 1; id < 40; id += 3 {
		s.must("POST", fmt.Sprintf("/v1/contacts/%d/close", id), "", nil)
	}
	events := dumped(t, data)
	got, emails, named := map[int64]contactJSON{}, map[int64]string{}, ""
	for _, e := range events {
		c := got[e.ID]
		switch e.Event {
		case "LeadCreated":
			emails[e.ID] = e.Email
		case "LeadChanged":
			named = *e.Name
		case "ContactCreated":
			got[e.ID] = contactJSON{ID: e.ID, Source: e.Source, Lead: e.Lead, Status: "open"}
			if want := fmt.Sprintf("a\n\"b\" \x1b[31m %d", e.ID-1); e.Text != want {
				t.Errorf("text %q, want %q", e.Text, want)
			}
		case "ContactAssigned":
			c.Operator, c.Status = e.Operator, "assigned"
			got[e.ID] = c
		case "ContactClosed":
			c.Status = "closed"
			got[e.ID] = c
		}
	}
	for _, want := range list[contactJSON](s, "/v1/contacts") {
		if got[want.ID] != want {
			t.Errorf("dumped %+v, the API says %+v", got[want.ID], want)
		}
		delete(got, want.ID)
	}
	for _, want := range list[leadJSON](s, "/v1/leads") {
		if emails[want.ID] != want.Email {
			t.Errorf("dumped %q, the API says %+v", emails[want.ID], want)
		}
	}
	if len(got) > 0 || named != "Zoë" || time.Since(events[0].At).Abs() > time.Hour {
		t.Errorf("contacts too many: %+v; named %q, at %v", got, named, events[0].At)
	}
	from := slices.IndexFunc(events, func(e eventJSON) bool { return e.Index == 30 })
	if later := dumped(t, data, "--from", "30"); len(later) != len(events)-from || later[0].Index != 30 {
		t.Errorf("from record 30: %d events, want %d", len(later), len(events)-from)
	}
	plain, _, code := runTool(t, "wal", "dump", data)
	if n := strings.Count(plain, "\n"); code != 0 || n != len(events) || strings.ContainsRune(plain, 0x1b) {
		t.Errorf("exit status %d, %d lines, want %d, without control characters", code, n, len(events))
	}
}

// Catches: a dump that passes damage, that fails at a torn end, or that hides that the beginning is gone.
func TestDumpOfDamaged(t *testing.T) {
	torn := newDirectory(t, 100).contacts(60)
	change(t, torn.segments()[len(torn.segments())-1], tear)
	wantRun(t, 0, "warning: ", "wal", "dump", torn.path)
	flipped := newDirectory(t, 100).contacts(60)
	change(t, flipped.segments()[1], flip)
	wantRun(t, 1, "corrupt record", "wal", "dump", flipped.path)
	compacted := newDirectory(t, 300).contacts(60).snapshot().contacts(60).snapshot()
	wantRun(t, 0, "the journal begins with record", "wal", "dump", compacted.path, "--from", "1")
}

// Catches: a repair that cuts without being told to, cuts too much or loses what it cut, and one that "repairs" damage.
func TestRepair(t *testing.T) {
	d := newDirectory(t, 100).contacts(60)
	d.close()
	wantRun(t, 0, "nothing to do", "wal", "repair", d.path)
	last := d.segments()[len(d.segments())-1]
	change(t, last, tear)
	before, err := os.ReadFile(last)
	check(t, err)
	wantRun(t, 1, "would cut", "wal", "repair", d.path)
	after, err := os.ReadFile(last)
	check(t, err)
	if !bytes.Equal(before, after) {
		t.Error("it was cut without --yes")
	}
	wantRun(t, 0, "the bytes are in", "wal", "repair", d.path, "--yes")
	left, err := os.ReadFile(last)
	check(t, err)
	saved, err := os.ReadFile(files(t, d.path, "journal", "torn-*")[0])
	check(t, err)
	if len(saved) == 0 || !bytes.Equal(append(left, saved...), before) {
		t.Errorf("%d bytes are left and %d saved of %d", len(left), len(saved), len(before))
	}
	wantRun(t, 0, "nothing to do", "wal", "repair", d.path, "--yes")
	if out := wantRun(t, 0, "state: 59 contacts", "wal", "verify", d.path); strings.Contains(out, "warning") {
		t.Error(out)
	}
	change(t, d.segments()[1], flip)
	wantRun(t, 1, "corrupt record", "wal", "repair", d.path)
	wantRun(t, 1, "corrupt record", "wal", "repair", d.path, "--yes")
}

// Catches: a repair under a running server.
func TestRepairRefusesLocked(t *testing.T) {
	data := memoryDir(t)
	startServer(t, data, "")
	wantRun(t, 1, "in use by another process", "wal", "repair", data)
	wantRun(t, 1, "in use by another process", "wal", "repair", data, "--yes")
}
