package httpapi

import (
	"strings"
	"testing"

	"minicrm/domain"
)

// Catches: a person who is still there after the erasure, one who is erased with a contact that waits, an email that is
// lost for ever, and an answer that does not say what is left.
func TestEraseLead(t *testing.T) {
	e := newEdge(t, func(o *Options) { o.SnapshotEvery = 1000 })
	e.operator(5)
	e.source()
	e.link(1, 1, 1)
	e.do("POST", "/v1/contacts", `{"source_id":1,"email":"a@example.com","name":"Al","text":"secret"}`).ok()
	e.do("DELETE", "/v1/leads/1", "").problem(409, "lead_has_live_contacts")
	e.do("DELETE", "/v1/leads/2", "").problem(404, "lead_not_found")
	e.do("DELETE", "/v1/leads/0", "").problem(422, "invalid", "id")
	e.do("DELETE", "/v1/leads/1?force=true", "").problem(422, "invalid", "force")
	e.do("POST", "/v1/contacts/1/close", "").ok()
	said := e.do("DELETE", "/v1/leads/1", "").ok()
	if said["id"] != 1.0 || said["index"] != 7.0 || said["journal_erased_after_snapshots"] != 2.0 ||
		said["journal_erased_after_record"] != 2007.0 || !strings.Contains(said["gone_from_journal"].(string), "record 2007") ||
		!strings.Contains(said["archives"].(string), "minicrm archive erase --lead 1") {
		t.Errorf("it said %v", said)
	}
	e.do("GET", "/v1/leads/1", "").problem(410, "lead_erased")
	e.do("PATCH", "/v1/leads/1", `{"name":"Al"}`).problem(410, "lead_erased")
	e.do("DELETE", "/v1/leads/1", "").problem(410, "lead_erased")
	for _, path := range []string{"/v1/leads", "/v1/leads?email=a@example.com"} {
		e.do("GET", path, "").is(200, `{"items":[],"next":null}`)
	}
	if c := e.do("GET", "/v1/contacts/1", "").ok(); c["text"] != "" || c["lead_id"] != 1.0 || c["status"] != "closed" {
		t.Errorf("the contact is %v", c)
	}
	if c := e.contact(1, "a@example.com"); c["lead_id"] != 2.0 {
		t.Errorf("the next contact with the email is %v", c)
	}
}

// Catches: a promise of snapshots that nobody takes.
func TestEraseLeadWithoutSnapshots(t *testing.T) {
	e := newEdge(t)
	e.do("POST", "/v1/leads", `{"email":"a@example.com"}`).ok()
	said := e.do("DELETE", "/v1/leads/1", "").ok()
	if record, has := said["journal_erased_after_record"]; !has || record != nil || !strings.Contains(said["gone_from_journal"].(string), "SIGUSR1") {
		t.Errorf("it said %v", said)
	}
}

// Catches: an archived contact that is shown, is "not found", or can be closed or assigned.
func TestArchivedContactIsGone(t *testing.T) {
	e := newEdge(t)
	e.operator(5)
	e.source()
	e.link(1, 1, 1)
	for range 2 {
		e.contact(1, "a@example.com")
	}
	e.do("POST", "/v1/contacts/1/close", "").ok()
	e.house.commit(record(1, &domain.ContactsArchived{Day: 20513, IDs: []domain.ContactID{1}}))
	for _, p := range []Problem{
		e.do("GET", "/v1/contacts/1", "").problem(410, "contact_archived"),
		e.do("POST", "/v1/contacts/1/close", "").problem(410, "contact_archived"),
		e.do("POST", "/v1/contacts/1/assign", `{"operator_id":1}`).problem(410, "contact_archived"),
	} {
		if p.Archive != "contacts-2026-03-01.ndjson.zst" {
			t.Errorf("the archive is %q", p.Archive)
		}
	}
	for _, query := range []string{"", "?status=closed", "?source_id=1", "?operator_id=1", "?lead_id=1"} {
		for _, item := range e.do("GET", "/v1/contacts"+query, "").ok()["items"].([]any) {
			if item.(map[string]any)["id"] != 2.0 {
				t.Errorf("%s lists %v", query, item)
			}
		}
	}
}
