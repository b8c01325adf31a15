package persistence

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

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

func openArchive(t *testing.T, data string) *Archive {
	t.Helper()
	a, err := OpenArchive(data)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func readLines(t *testing.T, path string) string {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }() // it was only read
	var all bytes.Buffer
	if _, err := archiveFrames(file, func(_, lines []byte) error { all.Write(lines); return nil }); err != nil {
		t.Fatal(err)
	}
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
	data := t.TempDir()
	path := filepath.Join(data, archiveDir, "contacts-2025-11-24.ndjson.zst")
	mustAppend(t, openArchive(t, data), archivedContact(1, 7, "a@example.com"))
	if got := readLines(t, path); got != archivedLine {
		t.Fatalf("got\n%swant\n%s", got, archivedLine)
	}
	first, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	mustAppend(t, openArchive(t, data), archivedContact(2, 8, "b@example.com"))
	both, _ := os.ReadFile(path)
	for size := len(first); size < len(both); size++ {
		for _, torn := range [][]byte{both[:size], append(bytes.Clone(both[:size]), make([]byte, len(both)-size)...)} {
			if err := os.WriteFile(path, torn, 0o600); err != nil {
				t.Fatal(err)
			}
			mustAppend(t, openArchive(t, data), archivedContact(1, 7, "a@example.com"))
			if got := readLines(t, path); !strings.HasPrefix(got, archivedLine) || !strings.HasSuffix(got, archivedLine) {
				t.Fatalf("torn at %d: %s", size, got)
			}
		}
	}
	damaged := bytes.Clone(both)
	damaged[20] ^= 0xff
	if err := os.WriteFile(path, damaged, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := openArchive(t, data).Append(20416, []domain.Archived{archivedContact(3, 7, "c")}); err == nil {
		t.Error("a damaged file is appended to")
	}
	if now, _ := os.ReadFile(path); !bytes.Equal(now, damaged) {
		t.Error("a damaged file was changed")
	}
}

// Catches: a person who is left in some file, another who is lost, and an appender that does not see the new file.
func TestArchiveErase(t *testing.T) {
	data := t.TempDir()
	server, tool := openArchive(t, data), openArchive(t, data)
	path := filepath.Join(data, archiveDir, "contacts-2025-11-24.ndjson.zst")
	mustAppend(t, server, archivedContact(1, 7, "a@example.com"), archivedContact(2, 8, "b@example.com"))
	mustAppend(t, server, archivedContact(3, 7, "a@example.com"))
	if n, err := tool.Erase(0, " A@example.com"); err != nil || n != 2 {
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
