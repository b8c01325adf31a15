package domain

import "testing"

// Catches a limit that is off by one, that holds up a contact which somebody could have, that refuses what was there
// before, or that is never lifted; and a refusal that uses up an id.
func TestBacklogLimit(t *testing.T) {
	w := team(t, 1)
	w.edit(1, SourcePatch{BacklogLimit: ptr(2)})
	for id := ContactID(1); id <= 3; id++ {
		w.contact(1, "a@example.com")
		w.committed(map[bool]string{true: "ContactCreated ContactAssigned", false: "ContactCreated"}[id == 1])
	}
	refused := w.contact(1, "a@example.com")
	w.refused(CodeBacklogFull)
	if refused != 0 || w.next != 4 {
		t.Errorf("the contact has id %d, the next %d", refused, w.next)
	}
	w.urgent(1, 9)
	w.refused(CodeBacklogFull)
	w.edit(1, SourcePatch{BacklogLimit: ptr(1)}) // those who wait already stay
	w.release(1)                                 // and whoever is released waits again
	w.done()
	w.close(w.heldBy(1)[0])
	w.done()
	w.contact(1, "a@example.com")
	w.refused(CodeBacklogFull)
	w.edit(1, SourcePatch{BacklogLimit: ptr(0)})
	w.contact(1, "a@example.com")
	w.committed("ContactCreated")
	w.done()
}

// Catches a contact that is refused because released ones wait, although the operator that these must not have is free.
func TestBacklogLimitRefusesNobodyWhoNeedNotWait(t *testing.T) {
	w := team(t, 1, 1)
	w.edit(1, SourcePatch{BacklogLimit: ptr(1)})
	held := w.contact(1, "a@example.com")
	w.contact(1, "a@example.com")
	w.release(held)
	w.with(held, 0)
	id := w.returning(1)
	w.with(id, 1)
	if c, _ := w.catalog.Contact(id); c.How != Sticky {
		t.Errorf("got %+v", c)
	}
	w.contact(1, "a@example.com")
	w.refused(CodeBacklogFull)
	w.done()
}

// Catches a manual source that drains, that blocks others, or that does not assign what arrives while somebody is free.
func TestBacklogManual(t *testing.T) {
	w := pair(t, BacklogManual)
	w.contact(1, "a@example.com")
	w.contact(1, "a@example.com")
	waits := w.contact(1, "a@example.com")
	w.close(1)
	w.done()
	w.with(waits, 0)
	w.with(w.contact(1, "a@example.com"), 1) // it is free, and nothing is drained
	w.close(4)
	w.activate(1, false)
	w.activate(1, true)
	w.link(1, 1, 3)
	w.done()
	w.with(waits, 0)
	w.assign(waits, 1, false)
	w.with(waits, 1)
	w.done()
}

// Catches a backlog that becomes auto and does not drain, or in another order than that of priority and age.
func TestBacklogBecomesAuto(t *testing.T) {
	w := pair(t, BacklogManual)
	w.activate(1, false)
	w.activate(2, false)
	plain, urgent, third := w.urgent(1, 0), w.urgent(1, 9), w.urgent(1, 0)
	w.activate(1, true)
	w.activate(2, true)
	w.done()
	w.with(urgent, 0)
	w.edit(1, SourcePatch{Backlog: ptr(BacklogAuto)})
	w.committed("SourceChanged", "ContactAssigned", "ContactAssigned")
	w.with(urgent, 1)
	w.with(plain, 2)
	w.with(third, 0)
	w.done()
}

// Catches a freed seat that goes to age before priority, or to priority in one source only.
func TestPriorityThenAgeOverAllSources(t *testing.T) {
	w := newWorld(t)
	op := w.operator(true, 1)
	for range 3 {
		w.link(w.source(BacklogAuto), op, 1)
	}
	w.contact(1, "a@example.com")
	for _, c := range []struct {
		source   SourceID
		priority int
	}{{3, 0}, {2, 1}, {1, 0}, {3, 9}, {2, 9}, {1, 1}} { // contacts 2 to 7
		w.urgent(c.source, c.priority)
	}
	for _, next := range []ContactID{5, 6, 3, 7, 2, 4} {
		w.close(w.heldBy(op)[0])
		w.done()
		w.with(next, op)
	}
}

// Catches an urgent contact that waits behind others although its arrival made it the first.
func TestUrgentContactLooksForASeatItself(t *testing.T) {
	w := pair(t, BacklogAuto)
	w.contact(2, "a@example.com")
	w.contact(2, "a@example.com")
	w.contact(1, "a@example.com") // waits
	s := w.watch(1)
	s.publish = func(Rank) {
		s.publish = nil
		s.Seats.Publish(0) // so that the seat frees while nobody is known to wait
		w.desks[2].Close(1, "", w.now)
	}
	id := w.urgent(1, 9)
	w.deliver()
	w.with(id, 1)
	w.done()
}
