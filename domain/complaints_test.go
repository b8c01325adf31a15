package domain

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// What users of other dispatchers complain of, a test each. Where the complaint is about two things at once, the moment
// is played here step by step; the simulation in package actors has the real interleavings.

// Rocket.Chat #19352, Zendesk, Asterisk #1736: two requests see the same free seat, and both take it.
func TestComplaintTwoRequestsPastTheLimit(t *testing.T) {
	w := pair(t, BacklogAuto)
	w.activate(2, false)
	s, other := w.watch(1), ContactID(0)
	s.take = func(OperatorID) bool { // source 1 has seen that operator 1 is open, and is about to take its seat
		s.take = nil
		other = w.next
		w.desks[2].Create(&ContactCreated{Source: 2, Lead: 1}, w.number, 0, w.now)
		return true
	}
	id := w.contact(1, "a@example.com")
	w.with(other, 1)
	w.with(id, 0)
	w.is(1, "active", 1)
	w.close(other)
	w.done()
	w.with(id, 1)
}

// Rocket.Chat #35831: the operator that is next is full, and is picked again and again.
func TestComplaintTheSameFullOperatorAgainAndAgain(t *testing.T) {
	w := team(t, 1, 9)
	w.link(1, 1, 1000) // by weight it is nearly always operator 1's turn
	for i := range 5 {
		id := w.contact(1, "a@example.com")
		w.with(id, map[bool]OperatorID{true: 1, false: 2}[i == 0])
	}
	w.done()
}

// Chatwoot #11034: one operator fills up while the others idle.
func TestComplaintOneFillsWhileOthersIdle(t *testing.T) {
	w := team(t, 10, 10, 10, 10)
	for n := 1; n <= 40; n++ {
		w.contact(1, fmt.Sprint(n%3, "@example.com"))
		for op := OperatorID(1); op <= 4; op++ {
			if load := w.model.load(op); load < n/4 || load > (n+3)/4 {
				t.Errorf("after %d contacts operator %d holds %d", n, op, load)
			}
		}
	}
	w.done()
}

// Chatwoot #10376: contacts stay in the backlog although somebody is free. Whatever makes a seat free drains it.
func TestComplaintTheBacklogDoesNotDrain(t *testing.T) {
	for name, free := range map[string]func(*world){
		"close":       func(w *world) { w.close(1) },
		"release":     func(w *world) { w.change(2, OperatorPatch{Active: ptr(true), MaxLoad: ptr(0)}); w.release(1) },
		"transfer":    func(w *world) { w.assign(1, 2, true) },
		"activation":  func(w *world) { w.activate(2, true) },
		"max_load":    func(w *world) { w.change(1, OperatorPatch{MaxLoad: ptr(2)}) },
		"a new link":  func(w *world) { w.link(1, w.operator(true, 1), 1) },
		"a weight":    func(w *world) { w.link(1, 3, 1) },
		"not to wait": func(w *world) { w.edit(1, SourcePatch{Backlog: ptr(BacklogManual)}); w.assign(2, 1, true) },
		"a restart":   func(w *world) { w.close(1); w.restore(); w.begin(command{}); w.floor.Drain(w.order, w.now) },
	} {
		w := team(t, 1, 1, 1)
		w.activate(2, false)
		w.link(1, 3, 0)
		w.contact(1, "a@example.com")
		waits := w.contact(1, "a@example.com")
		w.with(waits, 0)
		free(w)
		w.done()
		if c, _ := w.catalog.Contact(waits); c.Status != StatusAssigned {
			t.Errorf("%s: it still waits", name)
		}
	}
}

// Chatwoot #10685: newer contacts overtake older ones, in one source or in two that share operators.
func TestComplaintNewerOvertakeOlder(t *testing.T) {
	w := pair(t, BacklogAuto)
	for i := range 20 {
		w.contact(SourceID(1+i%2), "a@example.com")
	}
	for next := ContactID(3); next <= 20; next++ {
		w.close(next - 2)
		w.done()
		if c, _ := w.catalog.Contact(next); c.Status != StatusAssigned {
			t.Errorf("contact %d is not the next", next)
		}
		newcomer := w.contact(1, "b@example.com")
		w.with(newcomer, 0)
	}
}

// Rocket.Chat #34192: the oldest contact cannot be served, and blocks all behind it: in its own source because it was
// released, in another because its own has nobody.
func TestComplaintTheOldestBlocksTheRest(t *testing.T) {
	w := team(t, 1, 1)
	nobody := w.source(BacklogAuto)
	stuck := w.contact(nobody, "a@example.com")
	released := w.contact(1, "a@example.com")
	w.contact(1, "a@example.com")
	w.release(released)
	w.with(released, 0)
	for range 3 {
		id := w.contact(1, "b@example.com")
		w.with(id, 1)
		w.close(id)
	}
	w.done()
	w.with(stuck, 0)
}

// Rocket.Chat #13134: an operator that comes back gets every contact until it has caught up.
func TestComplaintWhoComesBackGetsAll(t *testing.T) {
	w := team(t, 1000, 1000, 1000)
	w.activate(3, false)
	w.fill(60)
	w.activate(3, true)
	for range 20 {
		before := w.model.load(3)
		w.fill(3)
		if got := w.model.load(3) - before; got > 2 {
			t.Fatalf("it got %d of 3", got)
		}
	}
	if got := w.model.load(3); got < 19 || got > 21 {
		t.Errorf("it got %d of 60", got)
	}
	w.done()
}

// LibreDesk #385: the assigner overwrites what was assigned by hand.
func TestComplaintAManualAssignmentIsOverwritten(t *testing.T) {
	w := team(t, 1, 1)
	w.fill(3)
	w.assign(3, 2, true) // past full, and it is there that it stays
	w.with(3, 2)
	w.close(1)
	w.done()
	w.change(1, OperatorPatch{MaxLoad: ptr(9)})
	w.desks[1].Drain(w.now)
	w.restore()
	w.floor.Drain(w.order, w.now)
	w.done()
	w.with(3, 2)

	w = team(t, 1)
	w.fill(2)
	w.link(1, w.operator(true, 0), 0)
	w.close(1) // a grant is on its way to contact 2
	w.assign(2, 2, true)
	w.done() // and has nobody to serve any more
	w.with(2, 2)
	w.is(1, "active", 0)
}

// LibreDesk #561: operators that are offline are assigned. Not by any automatic way.
func TestComplaintOfflineOperatorsAreAssigned(t *testing.T) {
	for _, away := range []OperatorPatch{{Active: ptr(false)}, {Draining: ptr(true)}} {
		w := team(t, 3)
		held := w.contact(1, "a@example.com")
		w.change(1, away)
		id := w.contact(1, "a@example.com")
		back := w.returning(1)
		w.draw(1, 1)
		w.refused(CodeNobodyEligible)
		w.close(held)
		w.reopen(held)
		w.done()
		for _, id := range []ContactID{id, back, held} {
			w.with(id, 0)
		}
	}
}

// Chatwoot #15453, #13359: a gateway that repeats its request makes duplicates.
func TestComplaintRetriesMakeDuplicates(t *testing.T) {
	w := team(t, 9)
	n := NewContact{Source: 1, Email: "a@example.com", Text: "help", Key: "7f3a"}
	first, _ := w.create(n, 0)
	for range 3 {
		again, _ := w.create(n, 0)
		w.refused("")
		if use, known := w.catalog.KeyUse(n.Identity(), w.now); !known || use.Contact != first || again != 0 {
			t.Errorf("the key leads to %+v", use)
		}
		w.restore()
	}
	w.is(1, "active", 1)
	w.done()
}

// Tiledesk: counters drift from what is really held. They are counted again after each of many random steps.
func TestComplaintCountersDrift(t *testing.T) {
	seeded(t, 3, func(t *testing.T, rng *rand.Rand) {
		w := team(t, 2, 3, 4)
		for range 150 {
			op := OperatorID(1 + rng.IntN(3))
			id, n := ContactID(1+rng.IntN(int(w.next))), rng.IntN(9)
			switch {
			case n < 3 || w.model.contacts[id] == nil:
				w.contact(1, "a@example.com")
			case n < 5:
				w.close(id)
			case n < 7:
				w.assign(id, op, true)
			case n < 8:
				w.release(id)
			default:
				w.reopen(id)
			}
			w.deliver()
			for op := OperatorID(1); op <= 3; op++ {
				if o, _ := w.catalog.Operator(op); o.Load != len(w.heldBy(op)) || o.Load != w.floor.seatings[op].Load {
					t.Fatalf("operator %d has load %d and %d seats taken, and holds %v", op, o.Load, w.floor.seatings[op].Load, w.heldBy(op))
				}
			}
		}
		w.done()
	})
}

// Salesforce: a closed tab frees the seat, but the contact stays with the operator. Whatever frees a seat takes the
// contact away in the same record.
func TestComplaintTheSeatIsFreeButTheContactStays(t *testing.T) {
	for name, leaves := range map[string]func(*world){
		"close":    func(w *world) { w.close(1) },
		"release":  func(w *world) { w.release(1) },
		"transfer": func(w *world) { w.assign(1, 2, false) },
		"unlink":   func(w *world) { w.unlink(1, 1) }, // frees nothing, and takes nothing away
		"away":     func(w *world) { w.activate(1, false) },
		"drain":    func(w *world) { w.drain(1) },
	} {
		w := team(t, 1, 1)
		w.contact(1, "a@example.com")
		before := len(w.log)
		leaves(w)
		c := NewCatalog()
		for i, r := range w.log {
			if err := c.Apply(r); err != nil {
				t.Fatal(err)
			}
			held, _ := c.Contacts(ContactFilter{Status: StatusAssigned, Operator: 1}, 0, 9)
			if o, _ := c.Operator(1); i >= before && o.Load != len(held) {
				t.Errorf("%s: load %d, and it holds %d", name, o.Load, len(held))
			}
		}
		w.done()
	}
}
