package main

import (
	"fmt"
	"testing"

	"minicrm/persistence/journalpb"
)

// Catches: a comparison with the memory that overlooks what an erasure or the archive lost, or left.
func TestTortureProofRetention(t *testing.T) {
	without2 := func(w *world) { w.contacts = append(w.contacts[:1:1], w.contacts[2:]...) }
	erased := func(w *world) {
		w.leads = nil
		for i := range w.contacts {
			w.contacts[i].Text = ""
		}
	}
	asked := func(m *memory) { m.erased(1).begin(true, m.tick()) }
	done := func(m *memory) { m.erased(1).begin(true, m.tick()).end = m.tick() }
	nothing := func(*memory) {}
	for _, c := range []struct {
		name, wrong string
		archived    int64 // by the journal
		before      func(m *memory)
		spoil       func(w *world)
	}{
		{"a closed contact in the archive", "", 2, nothing, without2},
		{"one that was archived just now", "", 2, nothing, func(*world) {}},
		{"a closed contact that is in no archive", "durable: contact 2", 0, nothing, without2},
		{"one that was told to be in the archive and is shown", "told to be in the archive", 2,
			func(m *memory) { m.contacts[2].archived = m.tick() }, func(*world) {}},
		{"one in the archive that was never closed", "durable: contact 1", 1, nothing, func(w *world) { w.contacts = w.contacts[1:] }},
		{"an erasure without an answer", "", 0, asked, erased},
		{"one that did not happen", "", 0, asked, func(*world) {}},
		{"one that nobody asked for", "durable: eve@example.com", 0, nothing, erased},
		{"one that left a text", "was told to be", 0, asked, func(w *world) { erased(w); w.contacts[0].Text = "token1" }},
		{"one that happened to the texts only", "was told to be", 0, asked, func(w *world) { w.contacts[0].Text = "" }},
		{"one that is forgotten", "was erased and is back", 0, done, func(*world) {}},
		{"a new lead with the email", "", 0, done, func(w *world) { erased(w); w.leads = []leadJSON{{2, "eve@example.com"}} }},
	} {
		m, w := proofWorld()
		c.before(m)
		c.spoil(&w)
		found(t, c.name, m.verify(w, map[int64]int64{c.archived: 1}), c.wrong)
	}
}

// Catches: an examiner that lets a person be erased, or a contact archived, who must not be.
func TestTortureProofExaminerRetention(t *testing.T) {
	erasing := func(id int64) *journalpb.Event { return journaled(&journalpb.LeadErased{Id: id}) }
	archiving := func(id int64) *journalpb.Event {
		return journaled(&journalpb.ContactsArchived{Day: 1, Ids: []int64{id}})
	}
	posting := func(id, lead int64) *journalpb.Event {
		return journaled(&journalpb.ContactCreated{Id: id, Source: 1, Lead: lead, Text: fmt.Sprint(id)})
	}
	naming := func(id int64, email string) *journalpb.Event {
		return journaled(&journalpb.LeadCreated{Id: id, Email: email})
	}
	live := func(more ...*journalpb.Event) []*journalpb.Event {
		return append([]*journalpb.Event{naming(1, "eve@example.com"), posting(1, 1)}, more...)
	}
	closed := func(more ...*journalpb.Event) []*journalpb.Event {
		return append(live(journaled(&journalpb.ContactClosed{Id: 1, Source: 1})), more...)
	}
	for _, c := range []struct {
		name, wrong string
		events      []*journalpb.Event
	}{
		{"erased, and a new lead with the email", "", closed(erasing(1), naming(2, "eve@example.com"), posting(2, 2))},
		{"erased with a contact that lives", "of the lead is", live(erasing(1))},
		{"erased twice", "no such lead", closed(erasing(1), erasing(1))},
		{"an erased lead's id again", "one lead per email", closed(erasing(1), naming(1, "bob@example.com"))},
		{"a contact of an erased lead", "or was erased", closed(erasing(1), posting(2, 1))},
		{"erased unasked", "nobody", closed(naming(13, "bob@example.com"), erasing(13))},
		{"archived", "", closed(archiving(1))},
		{"archived while it lives", "goes to the archive", live(archiving(1))},
		{"archived twice", "again: true", closed(archiving(1), archiving(1))},
		{"nobody is archived", "goes to the archive", closed(archiving(7))},
	} {
		found(t, c.name, examined(c.events), c.wrong)
	}
}
