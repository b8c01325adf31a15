package domain

import (
	"fmt"
	"strings"
	"testing"
)

// Catches an operator that drains for ever, or stops before its last contact is gone, in whatever way that goes.
func TestDrainingEndsWithTheLastContact(t *testing.T) {
	for name, last := range map[string]struct {
		leaves func(*world)
		record string // the draining ends in the record of what ended it
	}{
		"closed":      {func(w *world) { w.close(3) }, "ContactClosed OperatorChanged"},
		"released":    {func(w *world) { w.release(3) }, "ContactReleased OperatorChanged"},
		"transferred": {func(w *world) { w.assign(3, 2, true) }, "ContactAssigned OperatorChanged"},
	} {
		w := team(t, 2, 1)
		for range 3 {
			w.contact(1, "a@example.com")
		}
		w.drain(1)
		w.committed("OperatorChanged")
		w.is(1, "draining", 2)
		waits := w.contact(1, "a@example.com")
		w.with(waits, 0)
		w.close(1)
		w.done()
		w.is(1, "draining", 1)
		w.with(waits, 0)
		last.leaves(w)
		if got := fmt.Sprintf("%d events", len(w.records[0].Events)); got != "2 events" {
			t.Errorf("%s: the first record has %s, want %s", name, got, last.record)
		}
		w.done()
		w.is(1, "inactive", 0)
		w.activate(1, true)
		w.done()
		w.with(waits, 1)
	}
}

// Catches a draining of who holds nothing, one that a name ends, and one that cannot be called off.
func TestDrainingBeginsAndEnds(t *testing.T) {
	w := team(t, 2)
	w.drain(1)
	w.is(1, "inactive", 0)
	w.drain(1)
	w.committed()
	w.assign(w.contact(1, "a@example.com"), 1, true)
	w.drain(1)
	w.is(1, "draining", 1)
	w.change(1, OperatorPatch{Name: ptr("eve"), Draining: ptr(false)})
	w.is(1, "draining", 1)
	w.assign(w.contact(1, "a@example.com"), 1, true)
	w.is(1, "draining", 2)
	w.activate(1, false)
	w.is(1, "inactive", 2)
	w.drain(1)
	w.activate(1, true)
	w.is(1, "active", 2)
	w.done()
}

// Catches an operator that drains for ever because its last seat was a grant's: the draining ends when that comes back,
// is not used, or is lost in a crash.
func TestDrainingEndsWithAGrant(t *testing.T) {
	for name, ends := range map[string]func(*world){
		"not used":  func(w *world) { w.deliver() },
		"came back": func(w *world) { w.close(2); w.deliver() },
		"unlinked":  func(w *world) { w.unlink(1, 1); w.deliver() },
		"lost":      func(w *world) { w.restore(); w.begin(command{}); w.floor.Drain(w.order, w.now) },
	} {
		w := team(t, 1)
		w.contact(1, "a@example.com")
		w.contact(1, "a@example.com")
		w.close(1) // a grant is on its way to contact 2
		w.drain(1)
		w.is(1, "draining", 0)
		if s := w.floor.seatings[1]; s.Load != 1 {
			t.Fatalf("%s: load %d, want the grant's seat", name, s.Load)
		}
		ends(w)
		w.is(1, "inactive", 0)
		w.done()
	}
}

// Catches an operator that goes although it has contacts or links, a refusal that does not name them, and one that lives
// on anywhere after it was deleted.
func TestDeleteOperator(t *testing.T) {
	w := team(t, 1, 1)
	for range 11 {
		w.link(w.source(BacklogAuto), 1, 0)
	}
	id := w.contact(1, "a@example.com")
	says := func(parts ...string) {
		t.Helper()
		w.deleteOperator(1)
		w.refused(CodeOperatorBusy)
		for _, part := range parts {
			if len(w.answers) == 1 && !strings.Contains(w.answers[0].Error(), part) {
				t.Errorf("got %q, want it to say %q", w.answers[0], part)
			}
		}
	}
	says("operator 1 has 1 contacts")
	w.close(id)
	says("source 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 2 more")
	for source := range SourceID(12) {
		w.unlink(source+1, 1)
	}
	w.deleteOperator(1)
	w.committed("OperatorDeleted")
	w.deleteOperator(1)
	w.refused(CodeOperatorNotFound)
	w.link(1, 1, 1)
	w.refused(CodeOperatorNotFound)
	w.check()
	if _, found := w.catalog.Operator(1); found || w.catalog.NextOperator() != 3 {
		t.Errorf("it is there: %v, and the next one is %d", found, w.catalog.NextOperator())
	}
	if listed, _ := w.catalog.Operators(0, 9); len(listed) != 1 || listed[0].ID != 2 {
		t.Errorf("listed are %+v", listed)
	}
	if steps := w.model.contacts[id].steps; steps[1].To != 1 {
		t.Errorf("the history does not name it: %+v", steps)
	}
}

// Catches an operator that is deleted while its seat is on its way to a source.
func TestDeleteOperatorWithAGrantInFlight(t *testing.T) {
	w := team(t, 1)
	w.contact(1, "a@example.com")
	w.contact(1, "a@example.com")
	w.close(1)
	w.unlink(1, 1)
	w.deleteOperator(1)
	w.refused(CodeOperatorBusy)
	w.deliver()
	w.deleteOperator(1)
	w.committed("OperatorDeleted")
	w.done()
}

// Catches a source that goes although contacts of it are live, that leaves links or grants behind, or whose contacts
// are lost with it.
func TestDeleteSource(t *testing.T) {
	w := pair(t, BacklogAuto)
	held := w.contact(1, "a@example.com")
	w.deleteSource(1)
	w.refused(CodeSourceLive)
	w.close(held)
	w.deleteSource(1)
	w.committed("SourceDeleted")
	for name, refused := range map[string]func(){
		"delete": func() { w.deleteSource(1) },
		"create": func() { w.contact(1, "a@example.com") },
		"reopen": func() { w.reopen(held) },
		"link":   func() { w.link(1, 1, 5) },
		"edit":   func() { w.edit(1, SourcePatch{Name: ptr("x")}) },
	} {
		refused()
		if codeOf(w.answers[0]) != CodeSourceNotFound {
			t.Errorf("%s: answers %v", name, w.answers)
		}
	}
	if _, found := w.catalog.Source(1); found || w.catalog.NextSource() != 3 {
		t.Errorf("it is there: %v, and the next one is %d", found, w.catalog.NextSource())
	}
	listed, _ := w.catalog.Sources(0, 9)
	links, _ := w.catalog.Links(1, 0, 9)
	contacts, _ := w.catalog.Contacts(ContactFilter{Source: 1}, 0, 9)
	if len(listed) != 1 || listed[0].ID != 2 || len(links) != 0 || len(contacts) != 1 {
		t.Errorf("listed are %+v, links %+v, contacts %+v", listed, links, contacts)
	}
	w.unlink(2, 1)
	w.deleteOperator(1)
	w.committed("OperatorDeleted") // its link went with the source
	w.done()
}

// Catches a grant to a source that was deleted meanwhile and that keeps its seat.
func TestDeleteSourceWithAGrantInFlight(t *testing.T) {
	w := pair(t, BacklogAuto)
	w.contact(1, "a@example.com")
	w.contact(2, "a@example.com")
	waits, later := w.contact(1, "a@example.com"), w.contact(2, "a@example.com")
	w.close(1) // grants to source 1
	w.close(waits)
	w.deleteSource(1)
	w.committed("SourceDeleted")
	w.done()
	w.with(later, 1)
}
