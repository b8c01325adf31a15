package persistence

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"minicrm/domain"
)

// reopenedContact was closed, reopened, given to another and closed again.
func reopenedContact() domain.Archived {
	a := archivedContact(5, 7, "a@example.com")
	a.Names = []string{"gateway", "Ann"}
	a.Contact.Priority, a.Contact.Reason = 4, "second secret"
	a.Contact.CreatedBy, a.Contact.ClosedBy = 1, 2
	a.Contact.SetPast([]domain.Step{
		{At: 1764000000150000, Kind: domain.StepAssigned, How: domain.Sticky, To: 3},
		{At: 1764000000160000, Kind: domain.StepClosed, By: 2, From: 3, Reason: "first secret"},
		{At: 1764000000170000, Kind: domain.StepReopened, By: 2},
	})
	return a
}

const reopenedLine = `{"id":5,"source_id":3,"lead_id":7,"operator_id":4,"status":"closed","how":"manual","priority":4,"text":"<Zoë>",` +
	`"close_reason":"second secret",` +
	`"created_at":"2025-11-24T16:00:00.123456Z","assigned_at":"2025-11-24T16:00:00.2Z","closed_at":"2025-11-24T16:00:01Z",` +
	`"lead_email":"a@example.com","lead_name":"Ann","lead_phone":"+7","created_by":"gateway","closed_by":"Ann","history":[` +
	`{"at":"2025-11-24T16:00:00.123456Z","what":"created","by":"gateway"},` +
	`{"at":"2025-11-24T16:00:00.15Z","what":"assigned","to":3,"how":"sticky"},` +
	`{"at":"2025-11-24T16:00:00.16Z","what":"closed","by":"Ann","from":3,"reason":"first secret"},` +
	`{"at":"2025-11-24T16:00:00.17Z","what":"reopened","by":"Ann"},` +
	`{"at":"2025-11-24T16:00:00.2Z","what":"assigned","to":4,"how":"manual"},` +
	`{"at":"2025-11-24T16:00:01Z","what":"closed","by":"Ann","from":4,"reason":"second secret"}]}` + "\n"

// Catches: a line that lacks a field or a step, and an erasure that leaves a reason, or takes a line that is erased for one
// that is not.
func TestArchivedHistory(t *testing.T) {
	var b strings.Builder
	again := reopenedContact()
	if err := writeArchived(&b, &again); err != nil || b.String() != reopenedLine {
		t.Fatalf("got\n%swant\n%s%v", b.String(), reopenedLine, err)
	}
	all := func(*archivedJSON) bool { return true }
	erased, n, err := eraseLines([]byte(reopenedLine), all)
	if err != nil || n != 1 || strings.Contains(string(erased), "secret") || strings.Count(string(erased), `"what"`) != 6 {
		t.Errorf("%d lines are erased, %v, and left is\n%s", n, err, erased)
	}
	if _, n, err := eraseLines(erased, all); err != nil || n != 0 {
		t.Errorf("%d lines are erased again, %v", n, err)
	}
	onlyReason := strings.NewReplacer("a@example.com", "", `"Ann","lead_phone"`, `"","lead_phone"`, "+7", "", "<Zoë>", "", "second secret", "")
	if _, n, err := eraseLines([]byte(onlyReason.Replace(reopenedLine)), all); err != nil || n != 1 {
		t.Errorf("%d lines are erased that have a reason in their history only, %v", n, err)
	}
}

// Catches: a line of before there was a history, that cannot be read any more.
func TestEraseOldLine(t *testing.T) {
	old := strings.NewReplacer(`"priority":0,`, "", `"close_reason":"",`, "").Replace(archivedLine)
	erased, n, err := eraseLines([]byte(old), func(*archivedJSON) bool { return true })
	if err != nil || n != 1 || strings.Contains(string(erased), "Ann") {
		t.Errorf("%d lines, %v: %s", n, err, erased)
	}
}

// Catches: contacts with so much history that no reader takes the frame that they come in.
func TestArchiveOfMuchHistory(t *testing.T) {
	data := t.TempDir()
	var contacts []domain.Archived
	steps := make([]domain.Step, 1000)
	for i := range steps {
		steps[i] = domain.Step{At: 1, Kind: domain.StepClosed, Reason: strings.Repeat("\x01", domain.MaxReason)}
	}
	for id := range domain.ContactID(60) {
		n := archivedContact(id+1, 7, "a@example.com")
		n.Contact.Text = strings.Repeat("\x01", domain.MaxText)
		n.Contact.SetPast(steps)
		contacts = append(contacts, n)
	}
	mustAppend(t, openOn(t, data), contacts...)
	got := readLines(t, filepath.Join(data, archiveDir, "contacts-2025-11-24.ndjson.zst"))
	if n := strings.Count(got, "\n"); n != len(contacts) || len(got) < maxFrame || !strings.Contains(got, fmt.Sprintf("{%q:%d,", "id", 60)) {
		t.Errorf("%d lines with %d bytes", n, len(got))
	}
}
