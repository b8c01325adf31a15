package persistence

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"

	"pgregory.net/rapid"

	"minicrm/domain"
)

// history makes records as a dispatcher makes them: random commands to desks over a floor, decided by package domain.
// What was decided is in log; whoever has a history journals it, and applies it to a catalog of its own.
type history struct {
	rng      *rand.Rand
	floor    *domain.Floor
	registry *domain.Registry
	desks    map[domain.SourceID]*domain.Desk
	live     []liveContact
	closed   []domain.ContactID
	shadow   *domain.Catalog // all that was decided: erasures and archives need to know
	ops      int
	log      []domain.Record
	now      domain.Time
}

type liveContact struct {
	id     domain.ContactID
	source domain.SourceID
}

// newHistory goes on from a catalog, as a start does.
func newHistory(rng *rand.Rand, c *domain.Catalog) *history {
	h := &history{rng: rng, desks: map[domain.SourceID]*domain.Desk{}, now: c.LastTime(), registry: c.Registry()}
	h.shadow = shadowOf(c)
	h.floor = domain.NewFloor(h.decided, func(error) {})
	desks := c.Desks(h.floor.For)
	h.floor.Seat(c.Seatings(h.floor.Shown, h.floor.Head)...)
	for _, d := range desks {
		state := d.State()
		h.desks[state.Source.ID] = d
		d.Resume()
	}
	h.ops = int(c.NextOperator()) - 1
	for contact := range c.Freeze().Contacts() {
		if contact.Status != domain.StatusClosed {
			h.live = append(h.live, liveContact{contact.ID, contact.Source})
		} else {
			h.closed = append(h.closed, contact.ID)
		}
	}
	return h
}

// take is what was decided since the last call.
func (h *history) take() (records []domain.Record) {
	records, h.log = h.log, nil
	return records
}

func (h *history) commit(events ...domain.Event) {
	h.decided(domain.Record{At: h.now, Events: events})
}

// step is one command.
func (h *history) step() {
	h.now += domain.Time(h.rng.IntN(5_000_000)) // it may stand still
	switch n := h.rng.IntN(100); {
	case h.ops == 0 || n < 4:
		h.operator()
	case len(h.desks) == 0 || n < 6 && len(h.desks) < 20:
		h.source()
	case n < 16:
		h.link()
	case n < 18:
		h.desk().Unlink(h.anyOperator(), h.now)
	case n < 22:
		load := h.rng.IntN(6)
		h.floorChange(domain.OperatorPatch{MaxLoad: &load})
	case n < 24:
		active := h.rng.IntN(4) > 0
		h.floorChange(domain.OperatorPatch{Active: &active})
	case n < 26:
		backlog := domain.BacklogAuto + domain.BacklogPolicy(h.rng.IntN(2))
		h.desk().Edit(domain.SourcePatch{Backlog: &backlog}, h.now)
	case n < 28:
		h.changeLead()
	case n == 28:
		h.erase()
	case n == 29:
		h.archive()
	case n < 34 && len(h.live) > 0:
		c := h.live[h.rng.IntN(len(h.live))]
		h.desks[c.source].Assign(c.id, h.anyOperator(), h.rng.IntN(2) == 0, h.now)
	case n < 55 && len(h.live) > 0:
		h.closeContact()
	default:
		h.contact()
	}
	h.floor.Deliver(h.desks)
}

func (h *history) anyOperator() domain.OperatorID { return domain.OperatorID(1 + h.rng.IntN(h.ops)) }

func (h *history) desk() *domain.Desk { return h.desks[domain.SourceID(1+h.rng.IntN(len(h.desks)))] }

func (h *history) operator() {
	h.ops++
	o := domain.Operator{ID: domain.OperatorID(h.ops), Name: h.text(20), Active: h.rng.IntN(5) > 0, MaxLoad: h.rng.IntN(5)}
	h.commit(&domain.OperatorCreated{ID: o.ID, Name: o.Name, Active: o.Active, MaxLoad: o.MaxLoad})
	h.floor.Seat(domain.NewSeating(o, h.floor.Shown()))
}

func (h *history) floorChange(p domain.OperatorPatch) {
	op := h.anyOperator()
	c := h.catalogOperator(op)
	o := p.Apply(c)
	h.commit(&domain.OperatorChanged{ID: op, Name: o.Name, Active: o.Active, MaxLoad: o.MaxLoad})
	h.floor.Change(op, p, h.now)
}

// catalogOperator is an operator as a record shall have it; what it was called before is of no interest.
func (h *history) catalogOperator(op domain.OperatorID) domain.Operator {
	return domain.Operator{ID: op, Name: h.text(10), Active: true, MaxLoad: 3}
}

func (h *history) source() {
	id := domain.SourceID(len(h.desks) + 1)
	s := domain.Source{ID: id, Name: h.text(20), Backlog: domain.BacklogAuto + domain.BacklogPolicy(h.rng.IntN(2))}
	d := domain.NewDesk(s, h.floor.For(id))
	h.desks[id] = d
	d.Open(h.now)
}

func (h *history) link() { h.desk().Link(h.anyOperator(), h.rng.Int64N(5), h.now) }

func (h *history) lead() domain.LeadID {
	email := fmt.Sprintf("customer-%d@example.com", h.rng.IntN(200))
	id, known := h.registry.Lookup(email)
	if !known {
		id = h.registry.Add(email)
		h.commit(&domain.LeadCreated{ID: id, Email: email, Name: h.text(10), Phone: h.text(5)})
	}
	return id
}

func (h *history) changeLead() {
	e := &domain.LeadChanged{ID: h.lead()}
	if name := h.text(12); h.rng.IntN(2) == 0 {
		e.Name = &name
	}
	if phone := h.text(12); h.rng.IntN(2) == 0 {
		e.Phone = &phone
	}
	h.commit(e)
}

func (h *history) contact() {
	lead, id := h.lead(), h.registry.NextContact()
	source := domain.SourceID(1 + h.rng.IntN(len(h.desks)))
	h.live = append(h.live, liveContact{id, source})
	h.desks[source].Create(&domain.ContactCreated{ID: id, Source: source, Lead: lead, Text: h.text(120)}, h.now)
}

func (h *history) closeContact() {
	i := h.rng.IntN(len(h.live))
	c := h.live[i]
	h.live = append(h.live[:i], h.live[i+1:]...)
	h.closed = append(h.closed, c.id)
	h.desks[c.source].Close(c.id, h.now)
}

func (h *history) decided(r domain.Record) {
	h.log = append(h.log, r)
	if err := h.shadow.Apply(r); err != nil {
		panic(err)
	}
}

// shadowOf is a copy of a catalog.
func shadowOf(c *domain.Catalog) *domain.Catalog {
	f := c.Freeze()
	copied, err := domain.Thaw(f.Progress, f.Operators, f.Sources)
	for lead := range f.Leads() {
		err = errors.Join(err, copied.AddLead(*lead))
	}
	for contact := range f.Contacts() {
		err = errors.Join(err, copied.AddContact(*contact))
	}
	for run := range f.Forgotten() {
		err = errors.Join(err, copied.AddArchived(*run))
	}
	if err = errors.Join(err, copied.Settle()); err != nil {
		panic(err)
	}
	return copied
}

// erase erases a lead if it can be erased.
func (h *history) erase() {
	id := h.lead()
	if lead, _ := h.shadow.Lead(id); h.shadow.LiveContact(id) == 0 {
		h.registry.Erase(lead)
		h.commit(&domain.LeadErased{ID: id})
	}
}

// archive forgets about half of the closed contacts, mostly the oldest.
func (h *history) archive() {
	e := &domain.ContactsArchived{Day: domain.DayOf(h.now)}
	for len(h.closed) > 0 && len(e.IDs) < 50 && h.rng.IntN(20) > 0 {
		i := h.rng.IntN(min(3, len(h.closed)))
		e.IDs = append(e.IDs, h.closed[i])
		h.closed = append(h.closed[:i], h.closed[i+1:]...)
	}
	if len(e.IDs) > 0 {
		h.commit(e)
	}
}

// text is at most n letters, digits and the like.
func (h *history) text(n int) string {
	const words = "Hello, is the red one in stock? Привет, 你好 — and \x00 or \xff too. "
	from := h.rng.IntN(len(words))
	return (strings.Repeat(words, 3))[from : from+h.rng.IntN(n+1)]
}

// state is all of a catalog, in a form that can be compared.
type state struct {
	Progress  domain.Progress
	Operators []domain.Operator
	Loads     []domain.Operator
	Sources   []domain.FrozenSource
	Leads     []domain.Lead
	Contacts  []domain.Contact
	Archived  []domain.ArchivedRun
	Desks     []domain.DeskState
}

func stateOf(c *domain.Catalog) state {
	f := c.Freeze()
	s := state{Progress: f.Progress, Operators: f.Operators, Sources: f.Sources}
	s.Loads, _ = c.Operators(0, len(f.Operators)+1)
	for i := range s.Sources {
		s.Sources[i].Ledger.Links = noneIsNil(s.Sources[i].Ledger.Links)
	}
	for l := range f.Leads() {
		s.Leads = append(s.Leads, *l)
	}
	for n := range f.Contacts() {
		s.Contacts = append(s.Contacts, *n)
	}
	for run := range f.Forgotten() {
		s.Archived = append(s.Archived, *run)
	}
	for _, d := range c.Desks(domain.NewFloor(nil, nil).For) {
		desk := d.State()
		desk.Links = noneIsNil(desk.Links)
		s.Desks = append(s.Desks, desk)
	}
	return s
}

// noneIsNil makes equal what is equal to everybody but reflect.
func noneIsNil[T any](all []T) []T {
	if len(all) == 0 {
		return nil
	}
	return all
}

// mustEqual compares two catalogs field by field.
func mustEqual(t rapid.TB, what string, got, want *domain.Catalog) {
	t.Helper()
	g, w := reflect.ValueOf(stateOf(got)), reflect.ValueOf(stateOf(want))
	for i := range g.NumField() {
		if !reflect.DeepEqual(g.Field(i).Interface(), w.Field(i).Interface()) {
			t.Fatalf("%s: %s is\n%+v\ninstead of\n%+v", what, g.Type().Field(i).Name, g.Field(i).Interface(), w.Field(i).Interface())
		}
	}
	if err := got.Check(); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}
