package domain

import (
	"strings"
	"testing"
)

// Catches a release that refunds, that leaves the seat taken, or that is not dispatched anew at once.
func TestReleaseGoesToAnother(t *testing.T) {
	w := team(t, 1, 1)
	id := w.contact(1, "a@example.com")
	w.with(id, 1)
	before := w.desks[1].State().Links
	w.release(id)
	w.committed("ContactReleased", "ContactAssigned")
	w.with(id, 2)
	w.is(1, "active", 0)
	if now := w.desks[1].State().Links; now[0].Lag != before[0].Lag || now[0].Received != 1 || now[1].Received != 1 {
		t.Errorf("links %+v, before %+v", now, before)
	}
	w.done()
}

// Catches a contact that goes straight back to who released it while another is active, one that never comes back when
// nobody else is, and one that waits on after the other has gone, in whatever way.
func TestReleaseDoesNotGoStraightBack(t *testing.T) {
	for name, gone := range map[string]func(*world){
		"deactivated":      func(w *world) { w.activate(2, false) },
		"draining":         func(w *world) { w.drain(2) },
		"weight 0":         func(w *world) { w.link(1, 2, 0) },
		"unlinked":         func(w *world) { w.unlink(1, 2) },
		"there, and free":  func(w *world) { w.close(2) },
		"there, and moved": func(w *world) { w.unlink(1, 2); w.link(1, 2, 1) },
	} {
		w := team(t, 1, 1)
		held := w.contact(1, "a@example.com")
		w.contact(1, "a@example.com") // operator 2 is full
		w.release(held)
		w.done()
		w.with(held, 0)
		w.is(1, "active", 0)
		gone(w)
		w.deliver()
		want := OperatorID(1)
		if name == "there, and free" {
			want = 2
		}
		w.with(held, want)
		w.done()
	}
}

// Catches a contact that its releaser gets back although another is active but was switched off for a moment only: each
// coming and going counts.
func TestReleaseLooksAtWhoIsActiveNow(t *testing.T) {
	w := team(t, 1, 1)
	w.activate(2, false)
	id := w.contact(1, "a@example.com")
	w.release(id)
	w.done()
	w.with(id, 1) // nobody else: it comes back
	w.change(2, OperatorPatch{Active: ptr(true), MaxLoad: ptr(0)})
	w.release(id)
	w.done()
	w.with(id, 0) // operator 2 is active, though it has no seat
	w.change(2, OperatorPatch{MaxLoad: ptr(1)})
	w.done()
	w.with(id, 2)
}

// Catches a released contact that blocks those behind it: they may have the operator that it must not have.
func TestReleasedContactBlocksNobody(t *testing.T) {
	w := team(t, 2, 1)
	held := w.contact(1, "a@example.com")
	other := w.contact(1, "a@example.com")
	w.with(other, 2)
	w.contact(1, "a@example.com") // operator 1 is full
	behind := w.contact(1, "a@example.com")
	w.with(behind, 0)
	w.release(held)
	w.done()
	w.with(held, 0)
	w.with(behind, 1) // the seat that the release freed
	w.close(3)
	w.done()
	next := w.contact(1, "a@example.com") // arrives while the released one waits
	w.with(next, 1)
	w.committed("ContactCreated ContactAssigned")
	w.close(other)
	w.done()
	w.with(held, 2)
}

// Catches a released contact that lost its age, and two that are released by each other's only hope.
func TestReleaseKeepsTheAge(t *testing.T) {
	w := team(t, 1, 1)
	a, b := w.contact(1, "a@example.com"), w.contact(1, "a@example.com")
	w.urgent(1, 0)
	w.release(a) // waits for operator 2; contact 3 has operator 1 now
	w.done()
	w.with(3, 1)
	w.contact(1, "a@example.com")
	w.release(b)
	w.done()
	w.with(a, 2) // the oldest, and it was operator 1 that released it
	w.with(b, 0)
	w.close(3)
	w.done()
	w.with(b, 1)
}

// Catches a freed seat that the released contact gets before an older one of another source.
func TestReleaseGivesTheSeatToTheOldestOfAllSources(t *testing.T) {
	w := pair(t, BacklogAuto)
	held := w.contact(1, "a@example.com")
	w.contact(1, "a@example.com")
	old := w.contact(2, "a@example.com")
	w.release(held)
	w.done()
	w.with(old, 1)
	w.with(held, 0)
}

// Catches each refusal of a release.
func TestReleaseRefusals(t *testing.T) {
	w := team(t, 1, 1)
	id := w.contact(1, "a@example.com")
	w.releaseFrom(id, 2)
	w.refused(CodeContactOpen)
	w.releaseFrom(id, 1)
	w.with(id, 2)
	w.assign(w.contact(1, "a@example.com"), 1, true)
	open := w.contact(1, "a@example.com")
	w.release(open)
	w.refused(CodeContactOpen)
	w.close(id)
	w.deliver()
	w.release(id)
	w.refused(CodeContactClosed)
	w.done()
}

// Catches a contact of a source without a drain that is not dispatched when it is released, or that is drained.
func TestReleaseInAManualSource(t *testing.T) {
	w := pair(t, BacklogManual)
	id := w.contact(1, "a@example.com")
	w.release(id)
	w.with(id, 2)
	w.contact(1, "a@example.com")
	w.release(id)
	w.with(id, 0)
	w.close(2)
	w.done()
	w.with(id, 0)
}

// Catches a reopened contact that does not go to the operator that had it, or goes to it though it may get nothing.
func TestReopen(t *testing.T) {
	for name, c := range map[string]struct {
		before func(*world)
		want   OperatorID
		how    How
	}{
		"free":     {func(*world) {}, 1, Sticky},
		"full":     {func(w *world) { w.change(1, OperatorPatch{MaxLoad: ptr(0)}) }, 2, Automatic},
		"inactive": {func(w *world) { w.activate(1, false) }, 2, Automatic},
		"draining": {func(w *world) { w.drain(1) }, 2, Automatic},
		"weight 0": {func(w *world) { w.link(1, 1, 0) }, 2, Automatic},
		"unlinked": {func(w *world) { w.unlink(1, 1) }, 2, Automatic},
		"deleted":  {func(w *world) { w.unlink(1, 1); w.deleteOperator(1) }, 2, Automatic},
		"nobody":   {func(w *world) { w.activate(1, false); w.activate(2, false) }, 0, 0},
	} {
		w := team(t, 1, 1)
		id := w.contact(1, "a@example.com")
		w.closeFor(id, "solved")
		c.before(w)
		w.reopen(id)
		if c.want == 0 {
			w.committed("ContactReopened")
		} else {
			w.committed("ContactReopened ContactAssigned")
		}
		w.with(id, c.want)
		if got, _ := w.catalog.Contact(id); got.How != c.how || got.ClosedAt != 0 || got.Reason != "" {
			t.Errorf("%s: got %+v, want how = %d", name, got, c.how)
		}
		w.done()
	}
}

// Catches a reopened contact that is new again: it keeps its age and its priority.
func TestReopenKeepsAgeAndPriority(t *testing.T) {
	w := team(t, 1)
	urgent, plain := w.urgent(1, 4), w.urgent(1, 0)
	w.close(urgent)
	w.done()
	w.with(plain, 1)
	w.contact(1, "a@example.com")
	w.reopen(urgent)
	w.with(urgent, 0)
	w.close(plain)
	w.done()
	w.with(urgent, 1)
	w.close(urgent)
	w.deliver()
	w.with(3, 1)
	w.reopen(plain)
	w.contact(1, "a@example.com")
	w.close(3)
	w.done()
	w.with(plain, 1)
}

// Catches each refusal of a reopening.
func TestReopenRefusals(t *testing.T) {
	w := team(t, 1)
	id := w.contact(1, "a@example.com")
	w.reopen(id)
	w.refused(CodeContactNotClosed)
	w.close(id)
	w.contact(1, "b@example.com")
	w.contact(1, "b@example.com")
	w.edit(1, SourcePatch{BacklogLimit: ptr(1)})
	w.reopen(id)
	w.refused(CodeBacklogFull)
	w.erase(1)
	w.reopen(id)
	w.refused(CodeLeadErased)
	w.done()
}

// Catches a priority that changes nothing, that moves a contact the wrong way, or that takes a seat at once.
func TestPrioritise(t *testing.T) {
	w := pair(t, BacklogAuto)
	w.contact(1, "a@example.com")
	w.contact(1, "a@example.com")
	first, second, third := w.contact(1, "a@example.com"), w.contact(2, "a@example.com"), w.contact(1, "a@example.com")
	w.prioritise(third, 9)
	w.committed("ContactPrioritised")
	w.prioritise(third, 9)
	w.refused("")
	w.prioritise(second, 3)
	w.prioritise(first, 3)
	w.prioritise(third, 2)
	w.check()
	for _, next := range []ContactID{first, second, third} {
		w.with(next, 0)
		w.close(w.heldBy(1)[0])
		w.done()
		w.with(next, 1)
	}
	w.prioritise(third, 1)
	w.refused(CodeContactNotOpen)
	w.close(third)
	w.prioritise(third, 1)
	w.refused(CodeContactNotOpen)
}

// heldBy lists the contacts that an operator has.
func (w *world) heldBy(op OperatorID) (ids []ContactID) {
	items, _ := w.catalog.Contacts(ContactFilter{Status: StatusAssigned, Operator: op}, 0, 100)
	for _, c := range items {
		ids = append(ids, c.ID)
	}
	return ids
}

// Catches a transfer in two records, and one that frees a seat before it has the other: two full operators that swap.
func TestTransfer(t *testing.T) {
	w := team(t, 1, 1)
	a, b := w.contact(1, "a@example.com"), w.contact(1, "a@example.com")
	w.assign(a, 2, false)
	w.refused(CodeOperatorFull)
	w.assign(b, 1, false)
	w.refused(CodeOperatorFull)
	w.change(2, OperatorPatch{MaxLoad: ptr(2)})
	w.assign(a, 2, false)
	w.committed("ContactAssigned")
	w.is(1, "active", 0)
	w.is(2, "active", 2)
	w.assign(a, 2, true)
	w.refused("")
	w.done()
}

// Catches each refusal of a manual assignment, and force that helps where it must not.
func TestAssignRefusals(t *testing.T) {
	for name, c := range map[string]struct {
		before   func(*world)
		code     Code
		forced   Code
		sentence string
	}{
		"full":     {func(w *world) { w.change(2, OperatorPatch{MaxLoad: ptr(0)}) }, CodeOperatorFull, "", "max_load of 0"},
		"inactive": {func(w *world) { w.activate(2, false) }, CodeOperatorInactive, "", "is inactive"},
		"draining": {func(w *world) { w.contact(1, "b@example.com"); w.drain(2) }, CodeOperatorInactive, "", "is draining"},
		"unlinked": {func(w *world) { w.unlink(1, 2) }, CodeNotLinked, CodeNotLinked, "not linked"},
		"deleted":  {func(w *world) { w.unlink(1, 2); w.deleteOperator(2) }, CodeNotLinked, CodeNotLinked, "not linked"},
		"closed":   {func(w *world) { w.close(1) }, CodeContactClosed, CodeContactClosed, "is closed"},
	} {
		w := team(t, 1, 2)
		id := w.contact(1, "a@example.com")
		c.before(w)
		w.assign(id, 2, false)
		if w.refused(c.code); len(w.answers) == 1 && !strings.Contains(w.answers[0].Error(), c.sentence) {
			t.Errorf("%s: got %q, want it to say %q", name, w.answers[0], c.sentence)
		}
		if w.assign(id, 2, true); c.forced != "" {
			w.refused(c.forced)
		} else if got, _ := w.catalog.Contact(id); got.How != Forced || got.Operator != 2 {
			t.Errorf("%s: got %+v, want it forced", name, got)
		}
		w.done()
	}
}

// Catches a close that forgets why, or frees no seat.
func TestCloseForAReason(t *testing.T) {
	w := team(t, 1)
	id := w.contact(1, "a@example.com")
	w.closeFor(id, "solved")
	w.is(1, "active", 0)
	if c, _ := w.catalog.Contact(id); c.Reason != "solved" {
		t.Errorf("got %+v", c)
	}
	w.closeFor(id, "again")
	w.refused(CodeContactClosed)
	w.done()
}
