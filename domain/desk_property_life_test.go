package domain

import (
	"slices"

	"pgregory.net/rapid"
)

// The machine's actions on what was there before: contacts that are released, reopened, prioritised and forgotten,
// operators and sources that go, and the questions that may be asked at any moment.

func (m *machine) Release(t *rapid.T) {
	id, from, calm := m.drawContact(t), OperatorID(0), m.calm()
	if rapid.IntRange(0, 4).Draw(t, "from somebody") == 0 {
		from = m.drawOperator(t)
	}
	c, want := *m.model.contacts[id], m.gone(m.of(id))
	switch {
	case want.code != "":
	case c.status == StatusClosed:
		want.code = CodeContactClosed
	case c.status == StatusOpen, from != 0 && from != c.operator:
		want.code = CodeContactOpen
	}
	another, others := m.model.another(c.source, c.operator), m.model.eligible(c.source)
	others = slices.DeleteFunc(others, func(op OperatorID) bool { return op == c.operator })
	m.releaseFrom(id, from)
	m.settled(want, func(e Event) bool { r, ok := e.(*ContactReleased); return ok && r.ID == id })
	if want == (outcome{}) && calm {
		m.deliver()
		switch now := m.model.contacts[id]; {
		case another && (now.status == StatusAssigned) != (len(others) > 0):
			m.t.Fatalf("it was to go to one of %v: %+v", others, *now)
		case another && now.operator == c.operator:
			m.t.Fatalf("it went straight back: %+v", *now)
		}
	}
	m.finish(t)
}

func (m *machine) Reopen(t *rapid.T) {
	closed, live := m.byLife()
	if len(closed) > 0 && rapid.IntRange(0, 9).Draw(t, "closed") > 0 {
		live = closed
	}
	if len(live) == 0 {
		t.Skip("no contact")
	}
	id := rapid.SampledFrom(live).Draw(t, "contact")
	c := *m.model.contacts[id]
	want, arrival := m.gone(c.source), m.expect(c.source, c.operator)
	erased := m.model.leads[c.lead].Email == ""
	m.reopen(id)
	switch {
	case want.code != "":
	case erased:
		want.code = CodeLeadErased
	case c.status != StatusClosed:
		want.code = CodeContactNotClosed
	default:
		want.code = arrival.refusal(m)
	}
	m.settled(want, func(e Event) bool { r, ok := e.(*ContactReopened); return ok && r.ID == id })
	if want == (outcome{}) {
		arrival.happened(m)
	}
	m.finish(t)
}

func (m *machine) Prioritise(t *rapid.T) {
	id, priority := m.drawContact(t), uint8(rapid.IntRange(0, MaxPriority).Draw(t, "priority"))
	c, want := *m.model.contacts[id], m.gone(m.of(id))
	switch {
	case want.code != "":
	case c.status != StatusOpen:
		want.code = CodeContactNotOpen
	default:
		want.noop = c.priority == priority
	}
	m.prioritise(id, priority)
	m.settled(want, func(e Event) bool { _, ok := e.(*ContactPrioritised); return ok })
	m.finish(t)
}

func (m *machine) DeleteOperator(t *rapid.T) {
	if rapid.IntRange(0, 2).Draw(t, "really") > 0 {
		t.Skip("they would soon be gone")
	}
	op, calm, want := m.drawOperator(t), m.calm(), outcome{}
	switch {
	case m.model.operators[op].deleted:
		want.code = CodeOperatorNotFound
	case m.model.load(op) > 0, len(m.model.linked(op)) > 0:
		want.code = CodeOperatorBusy
	}
	m.deleteOperator(op)
	if !calm && len(m.answers) == 1 && want.code == "" {
		want.code = CodeOperatorBusy // a seat is on its way
	}
	m.settled(want, func(e Event) bool { _, ok := e.(*OperatorDeleted); return ok })
	m.finish(t)
}

func (m *machine) DeleteSource(t *rapid.T) {
	source := m.drawSource(t)
	want := m.gone(source)
	if want.code == "" && m.model.live(source) > 0 {
		want.code = CodeSourceLive
	} else if rapid.IntRange(0, 4).Draw(t, "really") > 0 {
		t.Skip("they would soon be gone")
	}
	m.deleteSource(source)
	m.settled(want, func(e Event) bool { _, ok := e.(*SourceDeleted); return ok })
	m.finish(t)
}

// Draw asks on behalf of another system, which knows some of the operators.
func (m *machine) Draw(t *rapid.T) {
	source, calm := m.drawSource(t), m.calm()
	want := m.gone(source)
	var fit, eligible []OperatorID
	for op := range len(m.model.operators) {
		if rapid.IntRange(0, 2).Draw(t, "fits") > 0 {
			fit = append(fit, OperatorID(op+1))
		}
	}
	for _, op := range m.model.eligible(source) {
		if slices.Contains(fit, op) {
			eligible = append(eligible, op)
		}
	}
	got := m.draw(source, fit...)
	if want.code == "" && (len(eligible) == 0 || !calm && len(m.answers) == 1) {
		want.code = CodeNobodyEligible
	}
	m.settled(want, func(e Event) bool { d, ok := e.(*OperatorDrawn); return ok && d.Operator == got })
	m.finish(t)
}

// Rename is an admin's change of a lead.
func (m *machine) Rename(t *rapid.T) {
	id := m.drawLead(t)
	m.rename(id, rapid.SampledFrom([]*string{nil, ptr(""), ptr("y")}).Draw(t, "name"), rapid.SampledFrom([]*string{nil, ptr("2")}).Draw(t, "phone"))
	m.finish(t)
}

// drawLead is a lead that was not erased.
func (m *machine) drawLead(t *rapid.T) LeadID {
	var ids []LeadID
	for id := range LeadID(len(m.model.leads) + 1) {
		if lead := m.model.leads[id]; lead != nil && lead.Email != "" {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		t.Skip("no lead yet")
	}
	return rapid.SampledFrom(ids).Draw(t, "lead")
}

func (m *machine) Erase(t *rapid.T) {
	id := m.drawLead(t)
	_, live := m.byLife()
	if slices.ContainsFunc(live, func(contact ContactID) bool { return m.model.contacts[contact].lead == id }) {
		t.Skip("it has a live contact")
	}
	m.erase(id)
	m.finish(t)
}

func (m *machine) Archive(t *rapid.T) {
	closed, _ := m.byLife()
	closed = slices.DeleteFunc(closed, func(ContactID) bool { return rapid.Bool().Draw(t, "stays") })
	if len(closed) == 0 {
		t.Skip("nothing is closed")
	}
	m.archive(closed...)
	m.finish(t)
}

// Preview asks who would get the next contacts, and then they come.
func (m *machine) Preview(t *rapid.T) {
	source := m.drawSource(t)
	p, found := m.catalog.Preview(source)
	if found == m.model.sources[source].deleted {
		m.t.Fatalf("source %d has a preview: %v", source, found)
	}
	if !found || !m.calm() {
		t.Skip("deleted, or grants are in flight")
	}
	for i, want := range p.Next(rapid.IntRange(1, 6).Draw(t, "n")) {
		if id := m.contact(source, "p@example.com"); m.model.contacts[id] == nil {
			if want != 0 {
				m.t.Fatalf("contact %d was to go to operator %d: refused", i, want)
			}
		} else if got := m.model.contacts[id].operator; got != want {
			m.t.Fatalf("contact %d went to operator %d, want %d", i, got, want)
		}
	}
	m.finish(t)
}

// Shares asks who got how much since some moment.
func (m *machine) Shares(t *rapid.T) {
	for id := range len(m.model.sources) {
		if err := m.model.sharesDiffer(m.catalog, SourceID(id+1), Time(rapid.IntRange(0, int(m.now)+1).Draw(t, "since"))); err != nil {
			m.t.Fatal(err)
		}
	}
}
