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
// committed are assignments of contacts that waited, and drainings that ended.
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
		a, assigned := r.Events[0].(*ContactAssigned)
		_, changed := r.Events[0].(*OperatorChanged)
		if len(r.Events) != 1 || !changed && (!assigned || a.How != Automatic) {
			m.t.Fatalf("a second record %+v", r)
		}
	}
}

// finish delivers the grants of a command, or in a lazy world perhaps leaves them in flight, and checks everything.
func (m *machine) finish(t *rapid.T) {
	if !m.lazy || rapid.Bool().Draw(t, "deliver") {
		m.deliver()
	}
	for _, d := range m.model.decisions {
		m.checkDecision(d)
	}
	if m.calm() {
		if err := m.model.rest(); err != nil {
			m.t.Fatalf("at rest: %v", err)
		}
	}
	m.check()
}

// checkDecision checks over whom a decision was made: all who were eligible, or the operator of a grant.
func (m *machine) checkDecision(d decision) {
	m.t.Helper()
	switch {
	case d.granted && len(d.among) != 1:
		m.t.Fatalf("a grant decided %+v", d)
	case !d.granted && !d.flight && !slices.Equal(d.among, d.eligible):
		m.t.Fatalf("decided %+v", d)
	}
}

// calm says whether no grant is in flight: seats are then as the model knows them.
func (m *machine) calm() bool { return len(m.floor.grants) == 0 }

func (m *machine) drawSource(t *rapid.T) SourceID {
	return SourceID(rapid.IntRange(1, len(m.desks)).Draw(t, "source"))
}

func (m *machine) drawOperator(t *rapid.T) OperatorID {
	return OperatorID(rapid.IntRange(1, len(m.model.operators)).Draw(t, "operator"))
}

// drawContact prefers contacts that are not closed, and leaves out those that were archived.
func (m *machine) drawContact(t *rapid.T) ContactID {
	closed, live := m.byLife()
	if len(closed)+len(live) == 0 {
		t.Skip("no contact yet")
	}
	if len(closed) == 0 || len(live) > 0 && rapid.IntRange(0, 9).Draw(t, "live") > 0 {
		closed = live
	}
	return rapid.SampledFrom(closed).Draw(t, "contact")
}

// byLife lists the contacts that are closed, and those that are not.
func (m *machine) byLife() (closed, live []ContactID) {
	for id := range m.next {
		switch c := m.model.contacts[id]; {
		case c == nil || c.archived:
		case c.status == StatusClosed:
			closed = append(closed, id)
		default:
			live = append(live, id)
		}
	}
	return closed, live
}

// drawPrefer is an operator that a contact's lead may have had before; 0 = none.
func (m *machine) drawPrefer(t *rapid.T) OperatorID {
	return OperatorID(rapid.IntRange(-2, len(m.model.operators)+1).Draw(t, "prefer"))
}

// gone is the outcome at a source that was deleted.
func (m *machine) gone(source SourceID) (want outcome) {
	if m.model.sources[source].deleted {
		want.code = CodeSourceNotFound
	}
	return want
}

func (m *machine) Create(t *rapid.T) {
	source, prefer := m.drawSource(t), m.drawPrefer(t)
	n := NewContact{
		Source: source, Email: fmt.Sprint(rapid.IntRange(1, 5).Draw(t, "lead"), "@example.com"),
		Name: rapid.SampledFrom([]string{"", "", "x"}).Draw(t, "name"), Phone: rapid.SampledFrom([]string{"", "1"}).Draw(t, "phone"),
		Text: "text", Priority: rapid.SampledFrom([]int{0, 0, 0, 1, 9}).Draw(t, "priority"),
		Key: rapid.SampledFrom([]string{"", "", "k", "l"}).Draw(t, "key"),
	}
	want, arrival := m.gone(source), m.expect(source, prefer)
	id, repeat := m.create(n, prefer)
	if want.code == "" {
		if want = repeat; want == (outcome{}) {
			want.code = arrival.refusal(m)
		}
	}
	m.settled(want, func(e Event) bool { c, ok := e.(*ContactCreated); return ok && c.ID == id })
	if want == (outcome{}) {
		arrival.happened(m)
	}
	m.finish(t)
}

// arrival is what must become of a contact that comes to a source.
type arrival struct {
	calm bool
	how  How
	code Code
	full bool
}

func (m *machine) expect(source SourceID, prefer OperatorID) (a arrival) {
	s := m.model.sources[source]
	a.calm, a.full = m.calm(), s.limit > 0 && len(m.model.waiting(source)) >= s.limit
	a.how, a.code = m.model.arrives(source, prefer)
	return a
}

// refusal is the code that the contact must be refused with. While grants are in flight, seats may be taken that nobody
// holds.
func (a arrival) refusal(m *machine) Code {
	if !a.calm && a.full && len(m.answers) == 1 {
		return CodeBacklogFull
	}
	return a.code
}

// happened checks that the contact was assigned in the record that brought it, or that nobody was eligible.
func (a arrival) happened(m *machine) {
	m.t.Helper()
	if !a.calm {
		return
	}
	events := m.records[0].Events
	var how How
	if len(events) > 1 {
		how = events[1].(*ContactAssigned).How
	}
	if how != a.how || len(events) > 2 || len(m.records) != 1 {
		m.t.Fatalf("got %+v, want it assigned how = %d", m.records, a.how)
	}
}

func (m *machine) Close(t *rapid.T) {
	id := m.drawContact(t)
	want := m.gone(m.of(id))
	if want.code == "" && m.model.contacts[id].status == StatusClosed {
		want.code = CodeContactClosed
	}
	m.closeFor(id, rapid.SampledFrom([]string{"", "solved"}).Draw(t, "reason"))
	m.settled(want, func(e Event) bool { c, ok := e.(*ContactClosed); return ok && c.ID == id })
	m.finish(t)
}

func (m *machine) Assign(t *rapid.T) {
	id, op, force := m.drawContact(t), m.drawOperator(t), rapid.Bool().Draw(t, "force")
	c, o, want := *m.model.contacts[id], *m.model.operators[op], m.gone(m.of(id))
	calm := m.calm()
	switch {
	case want.code != "":
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
	m.finish(t)
}

func (m *machine) Link(t *rapid.T) {
	source, op := m.drawSource(t), m.drawOperator(t)
	weight := rapid.SampledFrom([]int64{0, 1, 1, 2, 7, MaxWeight}).Draw(t, "weight")
	link, want := m.model.sources[source].share.links[op], m.gone(source)
	switch {
	case want.code != "":
	case m.model.operators[op].deleted:
		want.code = CodeOperatorNotFound
	default:
		want.noop = link != nil && link.weight == weight
	}
	m.link(source, op, weight)
	m.settled(want, func(e Event) bool { _, ok := e.(*LinkSet); return ok })
	m.finish(t)
}

func (m *machine) Unlink(t *rapid.T) {
	source, op := m.drawSource(t), m.drawOperator(t)
	want := m.gone(source)
	if want.code == "" && m.model.sources[source].share.links[op] == nil {
		want.code = CodeLinkNotFound
	}
	m.unlink(source, op)
	m.settled(want, func(e Event) bool { _, ok := e.(*LinkRemoved); return ok })
	m.finish(t)
}

// State makes an operator active, draining or inactive.
func (m *machine) State(t *rapid.T) {
	op := m.drawExisting(t)
	m.change(op, rapid.SampledFrom([]OperatorPatch{
		{Active: ptr(true)}, {Active: ptr(true)}, {Active: ptr(false)}, {Draining: ptr(true)}, {Draining: ptr(false)},
	}).Draw(t, "state"))
	m.finish(t)
}

// drawExisting is an operator that was not deleted.
func (m *machine) drawExisting(t *rapid.T) OperatorID {
	op := m.drawOperator(t)
	if m.model.operators[op].deleted {
		t.Skip("deleted")
	}
	return op
}

func (m *machine) MaxLoad(t *rapid.T) {
	op, maxLoad := m.drawExisting(t), rapid.IntRange(0, 4).Draw(t, "max load")
	m.change(op, OperatorPatch{MaxLoad: &maxLoad})
	m.finish(t)
}

func (m *machine) Edit(t *rapid.T) {
	source := m.drawSource(t)
	backlog := rapid.SampledFrom([]BacklogPolicy{BacklogAuto, BacklogAuto, BacklogManual}).Draw(t, "backlog")
	limit := rapid.SampledFrom([]int{0, 0, 1, 2}).Draw(t, "limit")
	s, want := m.model.sources[source], m.gone(source)
	if want.code == "" {
		want.noop = s.auto == (backlog == BacklogAuto) && s.limit == limit
	}
	m.edit(source, SourcePatch{Backlog: &backlog, BacklogLimit: &limit})
	m.settled(want, func(e Event) bool { _, ok := e.(*SourceChanged); return ok })
	m.finish(t)
}

// Restart builds everything anew; at rest nothing may come of it.
func (m *machine) Restart(t *rapid.T) {
	m.deliver()
	m.begin(command{})
	m.restore()
	m.floor.Drain(m.order, m.now)
	if len(m.records) != 0 {
		t.Fatalf("a restart at rest committed %+v", m.records)
	}
	m.finish(t)
}

// Crash builds everything anew; grants in flight are lost, and the drain makes up for them.
func (m *machine) Crash(t *rapid.T) {
	if m.calm() {
		t.Skip("no grant in flight")
	}
	m.begin(command{})
	m.restore()
	m.floor.Drain(m.order, m.now)
	m.finish(t)
}

// DeliverOne hands out one grant of those in flight.
func (m *machine) DeliverOne(t *rapid.T) {
	if m.calm() {
		t.Skip("no grant in flight")
	}
	m.deliverOne()
	m.finish(t)
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
	property(t, 150, 60, func(t *rapid.T) { t.Repeat(rapid.StateMachineActions(newMachine(t, false))) })
}

// Catches a grant that goes astray when the world changes while it is on its way: closed, unlinked, deactivated, edited.
func TestDeskWithGrantsInFlight(t *testing.T) {
	property(t, 150, 60, func(t *rapid.T) { t.Repeat(rapid.StateMachineActions(newMachine(t, true))) })
}
