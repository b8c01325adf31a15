package persistence

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"minicrm/domain"
)

func archivedContact(id domain.ContactID, lead domain.LeadID, email string) domain.Archived {
	return domain.Archived{
		Contact: domain.Contact{
			ID: id, Source: 3, Lead: lead, Operator: 4, Status: domain.StatusClosed, How: domain.Manual, Text: "<Zoë>",
			CreatedAt: 1764000000123456, AssignedAt: 1764000000200000, ClosedAt: 1764000001000000,
		},
		Lead: domain.Lead{ID: lead, Email: email, Name: "Ann", Phone: "+7"},
	}
}

const archivedLine = `{"id":1,"source_id":3,"lead_id":7,"operator_id":4,"status":"closed","how":"manual","priority":0,"text":"<Zoë>","close_reason":"",` +
	`"created_at":"2025-11-24T16:00:00.123456Z","assigned_at":"2025-11-24T16:00:00.2Z","closed_at":"2025-11-24T16:00:01Z",` +
	`"lead_email":"a@example.com","lead_name":"Ann","lead_phone":"+7"}` + "\n"

func openOn(t *testing.T, data string) *Archive {
	t.Helper()
	a, err := OpenArchive(data, nil)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func readLines(t *testing.T, path string) string {
	t.Helper()
	file, size, err := realFiles{}.edit(path)
	must(t, err)
	defer func() { must(t, file.Close()) }()
	var all bytes.Buffer
	_, err = archiveFrames(file, size, func(_, lines []byte) error { all.Write(lines); return nil })
	must(t, err)
	return all.String()
}

func mustAppend(t *testing.T, a *Archive, contacts ...domain.Archived) {
	t.Helper()
	if err := a.Append(20416, contacts); err != nil {
		t.Fatal(err)
	}
}

// Catches: a line that lacks a field, a torn frame that makes what comes behind it unreadable, at whichever byte the
// power went, and a damaged file that is cut.
func TestArchiveAfterACrash(t *testing.T) {
	data := memoryDir(t)
	path := filepath.Join(data, archiveDir, "contacts-2025-11-24.ndjson.zst")
	mustAppend(t, openOn(t, data), archivedContact(1, 7, "a@example.com"))
	if got := readLines(t, path); got != archivedLine {
		t.Fatalf("got\n%swant\n%s", got, archivedLine)
	}
	first, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	mustAppend(t, openOn(t, data), archivedContact(2, 8, "b@example.com"))
	both, _ := os.ReadFile(path)
	for size := len(first); size < len(both); size++ {
		must(t, os.WriteFile(path, both[:size], 0o600))
		mustAppend(t, openOn(t, data), archivedContact(1, 7, "a@example.com"))
		if got := readLines(t, path); got != archivedLine+archivedLine {
			t.Fatalf("torn at %d: %s", size, got)
		}
	}
	longer := 0 // bytes of the last frame that say how long it is: that looks like one that was cut off
	for at := range both {
		damaged := bytes.Clone(both)
		damaged[at] ^= 0x11
		must(t, os.WriteFile(path, damaged, 0o600))
		err := openOn(t, data).Append(20416, []domain.Archived{archivedContact(3, 7, "c")})
		now, _ := os.ReadFile(path)
		switch {
		case err != nil && bytes.Equal(now, damaged): // refused
		case err == nil && bytes.HasPrefix(now, damaged) && strings.Count(readLines(t, path), "\n") == 3:
			// A length that a frame says it has, and that its blocks and its checksum know better.
		case err == nil && bytes.HasPrefix(now, first) && saysItIsLonger(damaged, len(first)):
			longer++
		default:
			t.Errorf("byte %d of %d and %d was damaged: %v", at, len(first), len(both)-len(first), err)
		}
	}
	if longer > 5 {
		t.Errorf("%d bytes were taken for a frame that was cut off", longer)
	}
}

func saysItIsLonger(file []byte, at int) bool {
	_, bad := readZstdFrame(bytes.NewReader(file), int64(at), int64(len(file)))
	return errors.Is(bad, errTorn)
}

// Catches: a sector that was never written that is taken for damage, and zeros that are taken for one.
func TestArchiveLacksASector(t *testing.T) {
	for _, c := range []struct {
		at    int64
		b     []byte
		lacks bool
	}{
		{0, make([]byte, 512), true},
		{0, append(make([]byte, 511), 1), false},
		{1, append(make([]byte, 511), 1), true},
		{500, append(bytes.Repeat([]byte{1}, 12), make([]byte, 3)...), true},
		{500, append(bytes.Repeat([]byte{1}, 13), make([]byte, 300)...), false},
		{0, nil, false},
	} {
		if got := lacksSector(c.b, c.at); got != c.lacks {
			t.Errorf("%d bytes at %d: %v", len(c.b), c.at, got)
		}
	}
}

// Catches: a person who is left in some file, another who is lost, and an appender that does not see the new file.
func TestArchiveErase(t *testing.T) {
	data := t.TempDir()
	server, tool := openOn(t, data), openOn(t, data)
	path := filepath.Join(data, archiveDir, "contacts-2025-11-24.ndjson.zst")
	mustAppend(t, server, archivedContact(1, 7, "a@example.com"), archivedContact(2, 8, "b@example.com"))
	mustAppend(t, server, archivedContact(3, 7, "a@example.com"))
	if n, err := tool.Erase(0, "a@example.com"); err != nil || n != 2 {
		t.Fatalf("%d contacts, %v", n, err)
	}
	mustAppend(t, server, archivedContact(4, 8, "b@example.com"))
	got := readLines(t, path)
	if strings.Contains(got, "a@example.com") || strings.Count(got, "b@example.com") != 2 || strings.Count(got, "Ann") != 2 || strings.Count(got, "\n") != 4 {
		t.Errorf("left is\n%s", got)
	}
	for _, want := range []int{2, 0} {
		if n, err := tool.Erase(8, ""); err != nil || n != want {
			t.Errorf("%d contacts, %v", n, err)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(data, archiveDir, "*"+temporarySuffix)); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

// Catches: a failure that is not counted, or counted as done; names that are still taken by who was closed.
func TestArchiveMetrics(t *testing.T) {
	registry := prometheus.NewPedanticRegistry()
	for range 2 {
		data := t.TempDir()
		a, err := OpenArchive(data, registry)
		must(t, err)
		mustAppend(t, a, archivedContact(1, 7, "a@example.com"), archivedContact(2, 8, "b@example.com"))
		must(t, os.Mkdir(filepath.Join(data, archiveDir, domain.Day(3).Archive()), 0o700))
		if err := a.Append(3, []domain.Archived{archivedContact(3, 7, "a@example.com")}); err == nil {
			t.Error("appended to a directory")
		}
		got := gather(t, registry)
		if got["minicrm_archive_contacts_total"] != 2 || got["minicrm_archive_failures_total"] != 1 ||
			got["minicrm_archive_duration_seconds"] != 1 || got["minicrm_archive_bytes_total"] < 100 {
			t.Errorf("the figures are %v", got)
		}
		a.Close()
	}
}
