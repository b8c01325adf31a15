package domain

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// Catches a drain that lets a source take what an older contact of another one waits for, or that stops after the
// first seat that went elsewhere.
func TestFloorDrainGivesEverySeatToTheOldest(t *testing.T) {
	w := newWorld(t)
	op := w.operator(false, 3)
	for range 3 {
		w.link(w.source(BacklogAuto), op, 1)
	}
	for _, source := range []SourceID{3, 2, 1, 3} { // ids 1 to 4
		w.contact(source, "a@example.com")
	}
	w.change(op, OperatorPatch{Active: ptr(true)}) // grants all seats, and the crash comes before they arrive
	w.restore()
	w.begin(command{})
	w.floor.Drain(w.order, w.now)
	for id, want := range map[ContactID]Status{1: StatusAssigned, 2: StatusAssigned, 3: StatusAssigned, 4: StatusOpen} {
		if c, _ := w.catalog.Contact(id); c.Status != want {
			t.Errorf("contact %d has status %d, want %d", id, c.Status, want)
		}
	}
	w.check()
}

// Catches a drain that leaves a seat free while a contact waits for it, or overtakes (the model judges each record),
// in worlds of any shape: many sources, some manual, whose grants were all lost.
func TestFloorDrainAfterLostGrants(t *testing.T) {
	seeded(t, 150, func(t *testing.T, rng *rand.Rand) {
		w := newWorld(t)
		for range 1 + rng.IntN(6) {
			w.operator(false, 1+rng.IntN(4))
		}
		sources := 1 + rng.IntN(5)
		for range sources {
			id := w.source(BacklogAuto)
			for op := range len(w.model.operators) {
				if rng.IntN(3) > 0 {
					w.link(id, OperatorID(op+1), rng.Int64N(4))
				}
			}
		}
		for range rng.IntN(20) {
			w.contact(SourceID(1+rng.IntN(sources)), fmt.Sprint(rng.IntN(5), "@example.com"))
		}
		if rng.IntN(3) == 0 {
			w.edit(1, SourcePatch{Backlog: ptr(BacklogManual)})
		}
		for op := range len(w.model.operators) {
			w.change(OperatorID(op+1), OperatorPatch{Active: ptr(rng.IntN(5) > 0)})
		}
		w.restore()
		w.begin(command{})
		w.floor.Drain(w.order, w.now)
		if len(w.floor.grants) != 0 {
			t.Fatalf("%d grants were not delivered", len(w.floor.grants))
		}
		if err := w.model.rest(); err != nil {
			t.Fatal(err)
		}
		w.check()
		committed := len(w.log)
		if w.floor.Drain(w.order, w.now); len(w.log) != committed {
			t.Fatalf("a second drain committed %+v", w.log[committed:])
		}
	})
}

// Catches a floor that hands on a seat before the record that frees it: whoever gets it would be committed first.
func TestFloorCommitsBeforeItHandsOn(t *testing.T) {
	w := newWorld(t)
	op := w.operator(true, 1)
	for range 2 {
		w.link(w.source(BacklogAuto), op, 1)
	}
	first := w.contact(1, "a@example.com")
	second := w.contact(2, "b@example.com")
	w.floor.Commit = func(r Record) {
		if len(w.floor.grants) != 0 {
			t.Errorf("the seat is granted while %T is sent", r.Events[0])
		}
		w.commit(r)
	}
	w.close(first)
	w.deliver()
	if len(w.records) != 2 {
		t.Fatalf("got %+v, want a close and an assignment", w.records)
	}
	closed, isClose := w.records[0].Events[0].(*ContactClosed)
	a, isAssign := w.records[1].Events[0].(*ContactAssigned)
	if !isClose || !isAssign || closed.ID != first || a.ID != second {
		t.Errorf("got %+v, then %+v", w.records[0].Events[0], w.records[1].Events[0])
	}
	w.close(second) // nobody waits: this seat stays free, but only after the record
	if s := w.floor.seatings[op]; !s.LooksOpen() || s.Load != 0 {
		t.Errorf("got %+v, want a free seat", s.Operator)
	}
}

// Catches a transfer that leaves the seat of the former holder taken, or frees it for nobody.
func TestFloorTransferFreesTheFormerSeat(t *testing.T) {
	w := pair(t, BacklogAuto)
	held := w.contact(1, "a@example.com") // operator 1
	w.contact(1, "a@example.com")         // operator 2
	waits := w.contact(2, "a@example.com")
	w.assign(held, 2, true)
	w.deliver()
	for id, want := range map[ContactID]OperatorID{held: 2, waits: 1} {
		if c, _ := w.catalog.Contact(id); c.Operator != want {
			t.Errorf("contact %d is with operator %d, want %d", id, c.Operator, want)
		}
	}
	w.check()
}
