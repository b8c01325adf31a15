package domain

import (
	"fmt"
	"reflect"
	"slices"

	"pgregory.net/rapid"
)

// world is a dispatcher without actors: desks over a floor, and the catalog that their records build. Its model judges
// each record. Whoever has a world calls a desk, then deliver, then looks at records and answers.
type world struct {
	t        rapid.TB
	catalog  *Catalog
	floor    *Floor
	registry *Registry
	desks    map[SourceID]*Desk
	order    []*Desk
	model    *model
	log      []Record // all of them
	records  []Record // of the current command
	answers  []error  // of the current command
	now      Time
	frozen   *Frozen // of some earlier moment
}

func newWorld(t rapid.TB) *world {
	w := &world{t: t, catalog: NewCatalog(), model: newModel()}
	w.restore()
	return w
}

// restore builds all live state from the catalog, as a start does. Grants in flight are lost.
func (w *world) restore() {
	w.floor = NewFloor(w.commit, func(err error) { w.answers = append(w.answers, err) })
	w.registry = w.catalog.Registry()
	w.order = w.catalog.Desks(w.floor.For)
	w.floor.Seat(w.catalog.Seatings(w.floor.Shown, w.floor.Head)...)
	w.desks = map[SourceID]*Desk{}
	for _, d := range w.order {
		w.desks[d.source.ID] = d
	}
}

func (w *world) commit(r Record) {
	w.t.Helper()
	if r.At < 1 || r.At > w.now || len(r.Events) == 0 {
		w.t.Fatalf("record %+v has no events or not a time up to %d", r, w.now)
	}
	w.model.granting = len(w.floor.grants) > 0
	if err := w.model.record(r); err != nil {
		w.t.Fatalf("illegal record: %v", err)
	}
	if err := w.catalog.Apply(r); err != nil {
		w.t.Fatal(err)
	}
	w.log, w.records = append(w.log, r), append(w.records, r)
}

// begin starts a command.
func (w *world) begin(force bool) Time {
	w.records, w.answers, w.model.decisions, w.model.forced = nil, nil, nil, force
	w.now++
	return w.now
}

// deliver hands out grants until none is left. Were they to go round for ever, it would say so.
func (w *world) deliver() {
	w.t.Helper()
	for range 1_000 {
		if len(w.floor.grants) == 0 {
			w.floor.Deliver(w.desks)
			return
		}
		w.deliverOne()
	}
	w.t.Fatalf("grants go round: %+v", w.floor.grants)
}

// deliverOne hands out the oldest grant.
func (w *world) deliverOne() {
	g := w.floor.grants[0]
	w.floor.grants = w.floor.grants[1:]
	w.desks[g.source].Granted(g.operator, g.at)
}

func (w *world) operator(active bool, maxLoad int) OperatorID {
	at, id := w.begin(false), w.catalog.NextOperator()
	o := Operator{ID: id, Name: fmt.Sprint("operator ", id), Active: active, MaxLoad: maxLoad, CreatedAt: at}
	w.commit(Record{At: at, Events: []Event{&OperatorCreated{ID: id, Name: o.Name, Active: active, MaxLoad: maxLoad}}})
	w.floor.Seat(NewSeating(o, w.floor.Shown()))
	return id
}

func (w *world) change(op OperatorID, p OperatorPatch) {
	at := w.begin(false)
	o, _ := w.catalog.Operator(op)
	o = p.Apply(o)
	w.commit(Record{At: at, Events: []Event{&OperatorChanged{ID: op, Name: o.Name, Active: o.Active, MaxLoad: o.MaxLoad}}})
	w.floor.Change(op, p, at)
}

func (w *world) source(backlog BacklogPolicy) SourceID {
	at, id := w.begin(false), w.catalog.NextSource()
	d := NewDesk(Source{ID: id, Name: fmt.Sprint("source ", id), Backlog: backlog, CreatedAt: at}, w.floor.For(id))
	d.Open(at)
	w.desks[id] = d
	w.order = append(w.order, d)
	return id
}

// contact is one way of a contact through the house: the lead, the id, the desk.
func (w *world) contact(source SourceID, email string) ContactID {
	at := w.begin(false)
	lead, known := w.registry.Lookup(email)
	if !known {
		lead = w.registry.Add(email)
		w.commit(Record{At: at, Events: []Event{&LeadCreated{ID: lead, Email: email}}})
		w.begin(false)
	}
	id := w.registry.NextContact()
	w.desks[source].Create(&ContactCreated{ID: id, Source: source, Lead: lead}, w.now)
	return id
}

func (w *world) link(source SourceID, op OperatorID, weight int64) {
	w.desks[source].Link(op, weight, w.begin(false))
}

func (w *world) unlink(source SourceID, op OperatorID) { w.desks[source].Unlink(op, w.begin(false)) }

func (w *world) close(id ContactID) {
	w.desks[w.model.contacts[id].source].Close(id, w.begin(false))
}

func (w *world) assign(id ContactID, op OperatorID, force bool) {
	w.desks[w.model.contacts[id].source].Assign(id, op, force, w.begin(force))
}

func (w *world) edit(source SourceID, p SourcePatch) { w.desks[source].Edit(p, w.begin(false)) }

// check compares all that must agree: the catalog with the model, with one that replays the log, and with live state.
func (w *world) check() {
	w.t.Helper()
	if err := w.model.differs(w.catalog); err != nil {
		w.t.Fatalf("the catalog differs from the model: %v", err)
	}
	again := NewCatalog()
	for _, r := range w.log {
		if err := again.Apply(r); err != nil {
			w.t.Fatalf("replay: %v", err)
		}
	}
	w.checkFrozen()
	if got, want := dump(again), dump(w.catalog); !reflect.DeepEqual(got, want) {
		w.t.Fatalf("replayed:  %+v\ncommitted: %+v", got, want)
	}
	rebuilt := &world{t: w.t, catalog: again}
	rebuilt.restore()
	for i, d := range rebuilt.order {
		live := w.order[i]
		if got, want := d.State(), live.State(); !reflect.DeepEqual(got, want) || d.ledger.linked != live.ledger.linked {
			w.t.Fatalf("desk rebuilt: %+v\nlive: %+v", got, want)
		}
	}
	if !reflect.DeepEqual(rebuilt.registry, w.registry) {
		w.t.Fatalf("registry rebuilt: %+v, live: %+v", rebuilt.registry, w.registry)
	}
	w.checkSeats(rebuilt)
}

// checkSeats compares the seats: a live operator's load counts grants in flight too.
func (w *world) checkSeats(rebuilt *world) {
	w.t.Helper()
	granted := map[OperatorID]int{}
	for _, g := range w.floor.grants {
		granted[g.operator]++
	}
	for id, live := range w.floor.seatings {
		s := rebuilt.floor.seatings[id]
		want := s.Operator
		want.Load += granted[id]
		if live.Operator != want {
			w.t.Fatalf("seats rebuilt: %+v with %d granted, live: %+v", s.Operator, granted[id], live.Operator)
		}
		if live.Looks() != live.Open() {
			w.t.Fatalf("operator %d shows open = %v", id, live.Looks())
		}
		sources := func(s *Seating) (ids []SourceID) {
			for _, e := range s.serves {
				ids = append(ids, e.source)
			}
			return ids
		}
		if !slices.Equal(sources(live), sources(s)) {
			w.t.Fatalf("operator %d serves %v, rebuilt: %v", id, sources(live), sources(s))
		}
	}
	for id, d := range w.desks {
		if head := w.floor.Head(id).Load(); head != int64(d.head()) {
			w.t.Fatalf("source %d publishes %d, its head is %d", id, head, d.head())
		}
	}
}

// catalogDump is all of a catalog that must be the same after a replay.
type catalogDump struct {
	Index     uint64
	Last      Time
	Operators []operatorState
	Held      [][]uint32
	Sources   []DeskState
	Places    [][]uint32
	Runs      []ArchivedRun
	Given     uint32
	Leads     []Lead
	ByEmail   map[string]LeadID
	Contacts  []Contact
	ByStatus  [][]uint32
	Next      [2]int64
}

func dump(c *Catalog) catalogDump {
	d := catalogDump{Index: c.index, Last: c.last, ByEmail: c.byEmail, Next: [2]int64{int64(c.nextIDs.source), int64(c.nextIDs.contact)}}
	for lead := range c.view().Leads() {
		d.Leads = append(d.Leads, *lead)
	}
	for _, o := range c.operators {
		d.Held = append(d.Held, slices.Collect(o.contacts.All))
		o.contacts = Ordered[uint32]{}
		d.Operators = append(d.Operators, o)
	}
	for _, id := range c.sourceIDs {
		s := c.sources[id]
		d.Places = append(d.Places, slices.Collect(s.contacts.All))
		d.Sources = append(d.Sources, DeskState{
			Source: s.Source, Links: s.ledger.rows, Decisions: s.ledger.decisions, Backlog: slices.Collect(s.backlog.All),
		})
	}
	for contact := range c.view().Contacts() {
		d.Contacts = append(d.Contacts, must(lookup(c, contact.ID)))
	}
	d.Runs, d.Given = runsOf(c.view()), c.places()
	for i := range c.byStatus {
		d.ByStatus = append(d.ByStatus, slices.Collect(c.byStatus[i].All))
	}
	return d
}

func lookup(c *Catalog, id ContactID) (Contact, error) {
	contact, found := c.Contact(id)
	if !found {
		return contact, fmt.Errorf("no contact %d", id)
	}
	return contact, nil
}
