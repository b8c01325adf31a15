package domain

import (
	"fmt"
	"slices"
)

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
	Chains    [][]ContactID // of each lead, from the last place to the first, and back
	ByEmail   emails
	Contacts  []Contact
	ByStatus  [][]uint32
	Next      [2]int64
	Names     []string
	Trails    []TrailPart
	Keys      []KeyUse
}

func dump(c *Catalog) catalogDump {
	d := catalogDump{Index: c.index, Last: c.last, ByEmail: c.byEmail, Next: [2]int64{int64(c.nextIDs.source), int64(c.nextIDs.contact)}}
	for lead := range c.view().Leads() {
		d.Leads = append(d.Leads, *lead)
		d.Chains = append(d.Chains, chainOf(c, lead.ID))
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
			Source: s.Source, Links: s.ledger.state().Links, Decisions: s.ledger.decisions, Backlog: slices.Collect(s.backlog.All),
		})
	}
	for contact := range c.view().Contacts() {
		d.Contacts = append(d.Contacts, must(lookup(c, contact.ID)))
	}
	d.Runs, d.Given = runsOf(c.view()), c.places()
	for i := range c.byStatus {
		d.ByStatus = append(d.ByStatus, slices.Collect(c.byStatus[i].All))
	}
	d.Names, d.Trails = c.names.list, trailsOf(c)
	for use := range c.keys.uses().all {
		d.Keys = append(d.Keys, *use)
	}
	return d
}

// chainOf is a lead's contacts from the newest to the oldest, and back.
func chainOf(c *Catalog, lead LeadID) (ids []ContactID) {
	for contact := range c.contactsOf(lead) {
		ids = append(ids, contact.ID)
	}
	for place := c.chainEnds(lead).first; place != 0; place = c.linksAt(place).after {
		ids = append(ids, c.idAt(place))
	}
	return ids
}

func lookup(c *Catalog, id ContactID) (Contact, error) {
	contact, found := c.Contact(id)
	if !found {
		return contact, fmt.Errorf("no contact %d", id)
	}
	return contact, nil
}
