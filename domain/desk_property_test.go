package domain

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// machine draws commands for a world. It says before each what must come of it.
type machine struct {
	*world
	lazy bool // grants may stay in flight while further commands come
}

// outcome is what a command must lead to: a refusal, an answer that nothing changed, or else a record.
type outcome struct {
	code Code
	noop bool
}

// settled checks that exactly one record or answer settled a command: the one that was expected. Whatever else was
// committed are assignments of contacts that waited.
func (m *machine) settled(want outcome, own func(Event) bool) {
	m.t.Helper()
	if want.noop || want.code != "" {
		if len(m.answers) != 1 || len(m.records) != 0 || codeOf(m.answers[0]) != want.code {
			m.t.Fatalf("answers %v and records %+v, want %+v", m.answers, m.records, want)
		}
		return
	}
	if len(m.answers) != 0 || len(m.records) == 0 || !own(m.records[0].Events[0]) {
		m.t.Fatalf("answers %v and records %+v, want a record", m.answers, m.records)
	}
	for _, r := range m.records[1:] {
		if a, ok := r.Events[0].(*ContactAssigned); !ok || len(r.Events) != 1 || a.How != Automatic {
			m.t.Fatalf("a second record %+v", r)
		}
	}
}

// finish delivers the grants of a command, or in a lazy world perhaps leaves them in flight, and checks everything.
// whole: decisions were made over all who were eligible, not over the operator of a grant.
func (m *machine) finish(t *rapid.T, whole bool) {
	if !m.lazy {
		m.deliver()
		for _, d := range m.model.decisions {
			if want := d.eligible; whole && !slices.Equal(d.among, want) || !whole && len(d.among) != 1 {
				m.t.Fatalf("decided %+v", d)
			}
		}
	} else if rapid.Bool().Draw(t, "deliver") {
		m.deliver()
	}
	if len(m.floor.grants) == 0 {
		if err := m.model.rest(); err != nil {
			m.t.Fatalf("at rest: %v", err)
		}
	}
	m.check()
}

// calm says whether no grant is in flight: seats are then as the model knows them.
func (m *machine) calm() bool { return len(m.floor.grants) == 0 }

func (m *machine) drawSource(t *rapid.T) SourceID {
	return SourceID(rapid.IntRange(1, len(m.desks)).Draw(t, "source"))
}

func (m *machine) drawOperator(t *rapid.T) OperatorID {
	return OperatorID(rapid.IntRange(1, len(m.model.operators)).Draw(t, "operator"))
}

// drawContact prefers contacts that are not closed.
func (m *machine) drawContact(t *rapid.T) ContactID {
	if len(m.model.contacts) == 0 {
		t.Skip("no contact yet")
	}
	ids, live := []ContactID{}, []ContactID{}
	for id := range ContactID(len(m.model.contacts) + 1) {
		switch c := m.model.contacts[id]; {
		case c == nil:
		case c.status == StatusClosed:
			ids = append(ids, id)
		default:
			live = append(live, id)
		}
	}
	if len(ids) == 0 || len(live) > 0 && rapid.IntRange(0, 9).Draw(t, "live") > 0 {
		ids = live
	}
	return rapid.SampledFrom(ids).Draw(t, "contact")
}

func (m *machine) Create(t *rapid.T) {
	source, calm := m.drawSource(t), m.calm()
	eligible, before := m.model.eligible(source), len(m.model.waiting(source))
	m.contact(source, fmt.Sprint(rapid.IntRange(1, 5).Draw(t, "lead"), "@example.com"))
	m.settled(outcome{}, func(e Event) bool { _, ok := e.(*ContactCreated); return ok })
	at := 1 // an assignment is in the same record
	if len(eligible) > 0 && (!m.model.sources[source].auto || before == 0) {
		at = 2
	}
	if calm && (len(m.records) != 1 || len(m.records[0].Events) != at) {
		t.Fatalf("eligible %v, waiting %d: %+v", eligible, before, m.records)
	}
	m.finish(t, true)
}

func (m *machine) Close(t *rapid.T) {
	id, want := m.drawContact(t), outcome{}
	if m.model.contacts[id].status == StatusClosed {
		want.code = CodeContactClosed
	}
	m.close(id)
	m.settled(want, func(e Event) bool { c, ok := e.(*ContactClosed); return ok && c.ID == id })
	m.finish(t, false)
}

func (m *machine) Assign(t *rapid.T) {
	id, op, force, want := m.drawContact(t), m.drawOperator(t), rapid.Bool().Draw(t, "force"), outcome{}
	c, o := *m.model.contacts[id], *m.model.operators[op]
	calm := m.calm()
	switch {
	case c.status == StatusClosed:
		want.code = CodeContactClosed
	case m.model.sources[c.source].share.links[op] == nil:
		want.code = CodeNotLinked
	case c.status == StatusAssigned && c.operator == op:
		want.noop = true
	case !force && !o.active:
		want.code = CodeOperatorInactive
	case !force && m.model.load(op) >= o.maxLoad:
		want.code = CodeOperatorFull
	}
	m.assign(id, op, force)
	if !calm && want == (outcome{}) && len(m.answers) == 1 {
		want.code = CodeOperatorFull // the free seat was granted to somebody
	}
	m.settled(want, func(e Event) bool { a, ok := e.(*ContactAssigned); return ok && a.ID == id && a.How != Automatic })
	m.finish(t, false)
}

func (m *machine) Link(t *rapid.T) {
	source, op := m.drawSource(t), m.drawOperator(t)
	weight := rapid.SampledFrom([]int64{0, 1, 1, 2, 7, MaxWeight}).Draw(t, "weight")
	link := m.model.sources[source].share.links[op]
	want := outcome{noop: link != nil && link.weight == weight}
	m.link(source, op, weight)
	m.settled(want, func(e Event) bool { _, ok := e.(*LinkSet); return ok })
	m.finish(t, false)
}

func (m *machine) Unlink(t *rapid.T) {
	source, op, want := m.drawSource(t), m.drawOperator(t), outcome{}
	if m.model.sources[source].share.links[op] == nil {
		want.code = CodeLinkNotFound
	}
	m.unlink(source, op)
	m.settled(want, func(e Event) bool { _, ok := e.(*LinkRemoved); return ok })
	m.finish(t, false)
}

func (m *machine) Activate(t *rapid.T) {
	op, active := m.drawOperator(t), rapid.Bool().Draw(t, "active")
	m.change(op, OperatorPatch{Active: &active})
	m.finish(t, false)
}

func (m *machine) MaxLoad(t *rapid.T) {
	op, maxLoad := m.drawOperator(t), rapid.IntRange(0, 4).Draw(t, "max load")
	m.change(op, OperatorPatch{MaxLoad: &maxLoad})
	m.finish(t, false)
}

func (m *machine) Edit(t *rapid.T) {
	source := m.drawSource(t)
	backlog := rapid.SampledFrom([]BacklogPolicy{BacklogAuto, BacklogManual}).Draw(t, "backlog")
	want := outcome{noop: m.model.sources[source].auto == (backlog == BacklogAuto)}
	m.edit(source, SourcePatch{Backlog: &backlog})
	m.settled(want, func(e Event) bool { _, ok := e.(*SourceChanged); return ok })
	m.finish(t, true)
}

// Restart builds everything anew; at rest nothing may come of it.
func (m *machine) Restart(t *rapid.T) {
	m.deliver()
	m.begin(false)
	m.restore()
	m.floor.Drain(m.order, m.now)
	if len(m.records) != 0 {
		t.Fatalf("a restart at rest committed %+v", m.records)
	}
	m.finish(t, false)
}

// Crash builds everything anew; grants in flight are lost, and the drain makes up for them.
func (m *machine) Crash(t *rapid.T) {
	if m.calm() {
		t.Skip("no grant in flight")
	}
	m.begin(false)
	m.restore()
	m.floor.Drain(m.order, m.now)
	m.finish(t, true)
}

// DeliverOne hands out one grant of those in flight.
func (m *machine) DeliverOne(t *rapid.T) {
	if m.calm() {
		t.Skip("no grant in flight")
	}
	m.deliverOne()
	m.finish(t, false)
}

// Check is called by rapid after each action, which has checked everything itself.
func (m *machine) Check(*rapid.T) {}

func newMachine(t *rapid.T, lazy bool) *machine {
	m := &machine{world: newWorld(t), lazy: lazy}
	for range rapid.IntRange(1, 6).Draw(t, "operators") {
		m.operator(rapid.IntRange(0, 4).Draw(t, "active") > 0, rapid.IntRange(0, 4).Draw(t, "max load"))
	}
	for range rapid.IntRange(1, 4).Draw(t, "sources") {
		id := m.source(rapid.SampledFrom([]BacklogPolicy{BacklogAuto, BacklogAuto, BacklogManual}).Draw(t, "backlog"))
		for op := range len(m.model.operators) {
			if rapid.IntRange(0, 3).Draw(t, "linked") > 0 {
				m.link(id, OperatorID(op+1), rapid.SampledFrom([]int64{1, 1, 2, 7, 0}).Draw(t, "weight"))
			}
		}
	}
	return m
}

// Catches a desk that breaks section 6: an assignment past the cap, to an inactive or unlinked operator, of weight 0 or
// not next by section 5; a contact that waits for nothing or is overtaken; a command with no answer or two; a wrong
// code; live state that a restart would not rebuild.
func TestDeskAgainstModel(t *testing.T) {
	property(t, 100, 60, func(t *rapid.T) { t.Repeat(rapid.StateMachineActions(newMachine(t, false))) })
}

// Catches a grant that goes astray when the world changes while it is on its way: closed, unlinked, deactivated, edited.
func TestDeskWithGrantsInFlight(t *testing.T) {
	property(t, 100, 60, func(t *rapid.T) { t.Repeat(rapid.StateMachineActions(newMachine(t, true))) })
}
