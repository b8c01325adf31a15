package domain

import (
	"maps"
	"slices"
)

// Live state is built from the catalog, by the functions of this file and in no other way. It shares nothing with it.

// Registry builds the registry.
func (c *Catalog) Registry() *Registry {
	r := &Registry{
		byEmail:  maps.Clone(c.byEmail),
		erased:   map[LeadID]bool{},
		nextLead: LeadID(c.leadCount + 1),
	}
	for i := range c.leadCount {
		lead := c.lead(LeadID(i + 1))
		if lead.Erased() {
			r.erased[lead.ID] = true
		}
		r.Note(lead.ID, &lead.Name, &lead.Phone)
	}
	return r
}

// NextOperator is the id of the next operator.
func (c *Catalog) NextOperator() OperatorID { return OperatorID(len(c.operators) + 1) }

// NextSource is the id of the next source.
func (c *Catalog) NextSource() SourceID { return c.nextIDs.source }

// NextContact is the id of the next contact.
func (c *Catalog) NextContact() ContactID { return c.nextIDs.contact }

// SourceIDs lists the sources in commit order.
func (c *Catalog) SourceIDs() []SourceID { return slices.Clone(c.sourceIDs) }

// Seatings builds the operators' seats: each operator with its load and the sources that it serves. open makes where an
// operator shows whether it is open, heads finds where a source publishes for an operator.
func (c *Catalog) Seatings(open func() Head, heads func(SourceID, OperatorID) Heads) []*Seating {
	all := make([]*Seating, len(c.operators))
	for i := range c.operators {
		all[i] = NewSeating(c.operators[i].Operator, open())
	}
	for _, id := range c.sourceIDs {
		for _, link := range c.sources[id].ledger.Links() {
			if err := all[link.Operator-1].Serve(id, heads(id, link.Operator), link.Weight > 0); err != nil {
				panic(err) // a deleted operator has no links: Apply refuses it
			}
		}
	}
	return all
}

// Desks builds all desks, in commit order of their sources; seats makes the Seats of each.
func (c *Catalog) Desks(seats func(SourceID) Seats) []*Desk {
	desks := make([]*Desk, 0, len(c.sourceIDs))
	bySource := make(map[SourceID]*Desk, len(c.sourceIDs))
	for _, id := range c.sourceIDs {
		s := c.sources[id]
		d := NewDesk(s.Source, seats(id))
		d.ledger, d.backlog = s.ledger.Clone(), s.backlog.Clone()
		desks = append(desks, d)
		bySource[id] = d
	}
	for _, status := range []Status{StatusOpen, StatusAssigned} {
		for place := range c.byStatus[status].All {
			contact := c.placed(place)
			d := bySource[contact.Source]
			d.live[contact.ID] = liveContact{operator: contact.Operator, avoid: contact.Avoid, priority: contact.Priority}
			if contact.Avoid != 0 {
				d.shun(contact.Avoid)
			}
		}
	}
	return desks
}
