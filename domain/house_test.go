package domain

import (
	"fmt"
	"testing"
)

// house is a dispatcher without actors, like a world, but for very many contacts: no model judges it, and nothing is
// checked but what a test checks itself.
type house struct {
	t       testing.TB
	catalog *Catalog
	floor   *Floor
	desks   map[SourceID]*Desk
	now     Time
	next    ContactID
	seen    func(Record) // each record, before it is applied
	audit   *Auditor     // applies the records, if it is there
	refused int          // answers that were refusals
}

func newHouse(t testing.TB) *house {
	h := &house{t: t, catalog: NewCatalog(), desks: map[SourceID]*Desk{}, now: 1, next: 1}
	h.floor = NewFloor(h.commit, func(err error) {
		if err != nil {
			h.refused++
		}
	})
	return h
}

func (h *house) commit(r Record) {
	if h.seen != nil {
		h.seen(r)
	}
	apply := h.catalog.Apply
	if h.audit != nil {
		apply = h.audit.Record
	}
	if err := apply(r); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) say(events ...Event) { h.commit(Record{At: h.now, Events: events}) }

func (h *house) operator(maxLoad int) OperatorID {
	o := Operator{ID: h.catalog.NextOperator(), Active: true, MaxLoad: maxLoad, CreatedAt: h.now}
	h.say(o.Created())
	h.floor.Seat(NewSeating(o, h.floor.Shown()))
	return o.ID
}

func (h *house) source(s Source) SourceID {
	s.ID, s.Backlog, s.CreatedAt = h.catalog.NextSource(), BacklogAuto, h.now
	h.desks[s.ID] = NewDesk(s, h.floor.For(s.ID))
	h.desks[s.ID].Open(h.now)
	return s.ID
}

func (h *house) link(source SourceID, op OperatorID, weight int64) {
	h.desks[source].Link(op, weight, h.now)
	h.floor.Deliver(h.desks)
}

// lead is a new lead.
func (h *house) lead() LeadID {
	id := LeadID(h.catalog.leadCount + 1)
	h.say(&LeadCreated{ID: id, Email: fmt.Sprint(id, "@example.com")})
	return id
}

func (h *house) contact(source SourceID, lead LeadID, priority uint8, prefer OperatorID) ContactID {
	c := &ContactCreated{Source: source, Lead: lead, Priority: priority}
	h.desks[source].Create(c, h.number, prefer, h.now)
	h.floor.Deliver(h.desks)
	return c.ID
}

func (h *house) number() ContactID {
	h.next++
	return h.next - 1
}

func (h *house) close(source SourceID, id ContactID) {
	h.desks[source].Close(id, "", h.now)
	h.floor.Deliver(h.desks)
}

// change edits an operator. Its sources hear when it comes or goes.
func (h *house) change(op OperatorID, p OperatorPatch) {
	s := h.floor.seatings[op]
	active := s.Active
	h.floor.Change(op, p, h.now)
	if s.Active != active {
		for source := range s.Sources {
			h.desks[source].Recheck(h.now)
		}
	}
	h.floor.Deliver(h.desks)
}
