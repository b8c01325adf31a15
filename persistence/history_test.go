package persistence

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"minicrm/domain"
)

// history makes records as a dispatcher makes them: random commands to desks over a floor, decided by package domain.
// What was decided is in log; whoever has a history journals it, and applies it to a catalog of its own.
type history struct {
	rng       *rand.Rand
	floor     *domain.Floor
	registry  *domain.Registry
	next      domain.ContactID
	desks     map[domain.SourceID]*domain.Desk
	sources   []domain.SourceID // that were not deleted
	seatings  map[domain.OperatorID]*domain.Seating
	operators []domain.OperatorID // that were not deleted
	live      []liveContact
	closed    []domain.ContactID
	shadow    *domain.Catalog // all that was decided: erasures and archives need to know
	log       []domain.Record
	now       domain.Time
	by        string
}

type liveContact struct {
	id     domain.ContactID
	source domain.SourceID
}

// newHistory goes on from a catalog, as a start does.
func newHistory(rng *rand.Rand, c *domain.Catalog) *history {
	h := &history{
		rng: rng, now: c.LastTime(), registry: c.Registry(), next: c.NextContact(), shadow: shadowOf(c),
		desks: map[domain.SourceID]*domain.Desk{}, seatings: map[domain.OperatorID]*domain.Seating{},
	}
	h.floor = domain.NewFloor(h.decided, func(error) {})
	desks := c.Desks(h.floor.For)
	for _, s := range c.Seatings(h.floor.Shown, h.floor.Heads) {
		h.floor.Seat(s)
		h.seatings[s.ID] = s
		if !s.Deleted {
			h.operators = append(h.operators, s.ID)
		}
	}
	for _, d := range desks {
		state := d.State()
		h.desks[state.Source.ID] = d
		if !d.Deleted() {
			h.sources = append(h.sources, state.Source.ID)
			d.Resume()
		}
	}
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
	h.by = []string{"", "", "gateway", "Ann", "Zoë"}[h.rng.IntN(5)]
	switch n := h.rng.IntN(100); {
	case len(h.operators) == 0 || n < 4 && len(h.operators) < 12:
		h.operator()
	case len(h.sources) == 0 || n < 6 && len(h.sources) < 6:
		h.source()
	case n < 16:
		h.link()
	case n < 24:
		h.admin()
	case n < 34 && len(h.live) > 0:
		h.handle(h.live[h.rng.IntN(len(h.live))])
	case n < 37 && len(h.closed) > 0:
		h.reopen()
	case n < 70 && len(h.live) > 0:
		h.closeContact()
	default:
		h.contact()
	}
	h.floor.Deliver(h.desks)
}

// admin is a command that seldom comes.
func (h *history) admin() {
	switch h.rng.IntN(10) {
	case 0:
		h.desk().Unlink(h.anyOperator(), h.now)
	case 1, 2:
		h.changeOperator()
	case 3:
		h.changeSource()
	case 4:
		h.changeLead()
	case 5:
		h.erase()
	case 6:
		h.archive()
	case 7:
		h.deleteOperator(h.anyOperator())
	case 8:
		h.deleteSource()
	default:
		h.desk().Draw(func(domain.OperatorID) bool { return h.rng.IntN(4) > 0 }, func(domain.OperatorID) {}, h.now)
	}
}

// handle is what somebody does to a contact that is not closed.
func (h *history) handle(c liveContact) {
	switch desk := h.desks[c.source]; h.rng.IntN(4) {
	case 0:
		_ = desk.Release(c.id, 0, h.now) // refused when nobody holds it
	case 1:
		desk.Prioritise(c.id, h.priority(), h.now)
	default:
		desk.Assign(c.id, h.anyOperator(), h.rng.IntN(2) == 0, h.now)
	}
}

func (h *history) anyOperator() domain.OperatorID { return h.operators[h.rng.IntN(len(h.operators))] }

func (h *history) desk() *domain.Desk { return h.desks[h.sources[h.rng.IntN(len(h.sources))]] }

func (h *history) priority() uint8 {
	return uint8(max(0, h.rng.IntN(2*domain.MaxPriority)-domain.MaxPriority+1))
}

func (h *history) operator() {
	o := domain.Operator{
		ID: domain.OperatorID(len(h.seatings) + 1), Name: h.text(20), Active: h.rng.IntN(5) > 0, MaxLoad: h.rng.IntN(8),
		ExternalID: h.text(3), Username: h.text(3),
	}
	h.commit(&domain.OperatorCreated{
		ID: o.ID, Name: o.Name, Active: o.Active, MaxLoad: o.MaxLoad, ExternalID: o.ExternalID, Username: o.Username,
	})
	s := domain.NewSeating(o, h.floor.Shown())
	h.floor.Seat(s)
	h.seatings[o.ID] = s
	h.operators = append(h.operators, o.ID)
}

func (h *history) changeOperator() {
	name, external := h.text(10), h.text(5)
	p := domain.OperatorPatch{Name: &name}
	switch yes, load := true, h.rng.IntN(8); h.rng.IntN(4) {
	case 0:
		p.Draining = &yes
	case 1:
		active := h.rng.IntN(4) > 0
		p.Active = &active
	case 2:
		p.ExternalID, p.Username = &external, &name
	default:
		p.MaxLoad = &load
	}
	h.floor.Change(h.anyOperator(), p, h.now)
}

// deleteOperator unlinks an operator, and deletes it if it has no contacts.
func (h *history) deleteOperator(op domain.OperatorID) {
	if h.seatings[op].Load > 0 {
		return
	}
	for _, id := range h.sources {
		h.desks[id].Unlink(op, h.now)
	}
	if events, err := h.seatings[op].Delete(); err == nil {
		h.commit(events...)
		h.operators = slices.DeleteFunc(h.operators, func(id domain.OperatorID) bool { return id == op })
	}
}

func (h *history) source() {
	id := domain.SourceID(len(h.desks) + 1)
	s := domain.Source{
		ID: id, Name: h.text(20), Backlog: domain.BacklogAuto + domain.BacklogPolicy(h.rng.IntN(2)),
		BacklogLimit: max(0, h.rng.IntN(40)-10), StickyWindow: max(0, h.rng.Int64N(200)-100),
	}
	d := domain.NewDesk(s, h.floor.For(id))
	h.desks[id] = d
	h.sources = append(h.sources, id)
	d.Open(h.now)
}

func (h *history) changeSource() {
	name, backlog, limit := h.text(10), domain.BacklogAuto+domain.BacklogPolicy(h.rng.IntN(2)), h.rng.IntN(30)
	h.desk().Edit(domain.SourcePatch{Name: &name, Backlog: &backlog, BacklogLimit: &limit}, h.now)
}

// deleteSource deletes the first source that has no live contacts.
func (h *history) deleteSource() {
	for i, id := range h.sources {
		if h.desks[id].Delete(h.now); h.desks[id].Deleted() {
			h.sources = slices.Delete(h.sources, i, i+1)
			return
		}
	}
}

func (h *history) link() { h.desk().Link(h.anyOperator(), max(0, h.rng.Int64N(6)-1), h.now) }

func (h *history) lead() domain.LeadID {
	n := domain.NewLead{Email: fmt.Sprintf("customer-%d@example.com", h.rng.IntN(200)), Name: h.text(10), Phone: h.text(5)}
	id, known := h.registry.Lookup(n.Email)
	if !known {
		id = h.registry.Add(n)
		h.commit(&domain.LeadCreated{ID: id, Email: n.Email, Name: n.Name, Phone: n.Phone})
	} else if filled := h.registry.Fill(id, n.Name, n.Phone); filled != nil {
		h.commit(filled)
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
	h.registry.Note(e.ID, e.Name, e.Phone)
	h.commit(e)
}

func (h *history) contact() {
	lead, id := h.lead(), h.next
	source := h.sources[h.rng.IntN(len(h.sources))]
	n := domain.NewContact{Source: source, Text: h.text(120), Priority: int(h.priority())}
	if h.rng.IntN(3) == 0 {
		n.Key = fmt.Sprint("key ", id)
	}
	var prefer domain.OperatorID
	if h.rng.IntN(4) == 0 {
		prefer = h.anyOperator()
	}
	h.desks[source].Create(&domain.ContactCreated{
		Source: source, Lead: lead, Text: n.Text, Priority: uint8(n.Priority), Key: n.Identity(),
	}, func() domain.ContactID { h.next++; return id }, prefer, h.now)
	if _, created := h.shadow.Contact(id); created { // or the backlog was full
		h.live = append(h.live, liveContact{id, source})
	}
}

func (h *history) closeContact() {
	i := h.rng.IntN(len(h.live))
	c := h.live[i]
	h.live = append(h.live[:i], h.live[i+1:]...)
	h.closed = append(h.closed, c.id)
	h.desks[c.source].Close(c.id, h.text(8), h.now)
}

// reopen reopens a contact, if its lead and its source are still there.
func (h *history) reopen() {
	i := h.rng.IntN(len(h.closed))
	c, _ := h.shadow.Contact(h.closed[i])
	lead, _ := h.shadow.Lead(c.Lead)
	desk := h.desks[c.Source]
	if lead.Erased() || desk.Deleted() {
		return
	}
	desk.Reopen(c.ID, h.priority(), c.Operator, h.now)
	if c, _ = h.shadow.Contact(c.ID); c.Status != domain.StatusClosed {
		h.closed = slices.Delete(h.closed, i, i+1)
		h.live = append(h.live, liveContact{c.ID, c.Source})
	}
}

func (h *history) decided(r domain.Record) {
	r.By = h.by
	h.log = append(h.log, r)
	if err := h.shadow.Apply(r); err != nil {
		panic(err)
	}
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
