package domain

import "iter"

// Frozen is the committed state at one place of the journal, for a snapshot: it can be read while the catalog goes on,
// without a lock. What can be derived from it (loads, backlogs, indexes) is not part of it.
type Frozen struct {
	Progress  Progress
	Operators []Operator     // in id order, without their loads
	Sources   []FrozenSource // in commit order
	LeadCount int
	leads     tableView[storedLead]
	contacts  tableView[storedContact]
	pasts     view[*[]Step]
	order     []ContactID
	living    int // contacts
	days      view[uint16]
	Names     []string // of who commanded something, by NameID from 1
	keys      keyView
	trails    []frozenTrail
}

type frozenTrail struct {
	source SourceID
	legs   []leg
}

// Progress is how far the journal had come.
type Progress struct {
	Index       uint64 // of the last record
	Last        Time   // the latest time stamp
	NextSource  SourceID
	NextContact ContactID
	Places      uint32 // given in commit order, also to contacts that were forgotten since
}

// FrozenSource is a source with its fair share.
type FrozenSource struct {
	Source Source
	Ledger LedgerState
}

// LedgerState is all of a ledger, in a form that can be written down.
type LedgerState struct {
	Links     []Link // ascending by operator
	Decisions uint64
	Linked    uint64 // links ever made
	Spelled   Rows   // the set that SameSet means; nil = none
}

// Freeze is the state as it is now. It costs a copy of all operators and links, and of a pointer and a
// string for each page of leads and contacts.
func (c *Catalog) Freeze() *Frozen {
	f := c.view()
	f.leads, f.contacts, f.pasts, f.days = c.leads.freeze(), c.contacts.freeze(), c.pasts.freeze(), c.days.freeze()
	f.keys = c.keys.uses()
	f.trails = c.trails()
	return f
}

// trails is the sources' trails as they are now.
func (c *Catalog) trails() (all []frozenTrail) {
	for _, id := range c.sourceIDs {
		if t := &c.sources[id].trail; len(t.legs) > 0 {
			all = append(all, frozenTrail{id, t.view()})
		}
	}
	return all
}

// view is what Freeze gives, but only until the catalog changes.
func (c *Catalog) view() *Frozen {
	f := &Frozen{
		Progress:  Progress{Index: c.index, Last: c.last, NextSource: c.nextIDs.source, NextContact: c.nextIDs.contact, Places: c.places()},
		LeadCount: c.leadCount,
		leads:     c.leads.view(),
		contacts:  c.contacts.view(),
		pasts:     c.pasts.list,
		order:     c.order[:len(c.order):len(c.order)],
		days:      c.days.list,
		living:    c.contactCount(),
		Names:     c.names.list[:len(c.names.list):len(c.names.list)],
	}
	for i := range c.operators {
		o := c.operators[i].Operator
		o.Load = 0
		f.Operators = append(f.Operators, o)
	}
	for _, id := range c.sourceIDs {
		s := c.sources[id]
		f.Sources = append(f.Sources, FrozenSource{Source: s.Source, Ledger: s.ledger.state()})
	}
	return f
}

// ContactCount is the number of contacts, without the forgotten.
func (f *Frozen) ContactCount() int { return f.living }

// Leads lists the leads in commit order. Each is there until the next.
func (f *Frozen) Leads() iter.Seq[*Lead] {
	return func(yield func(*Lead) bool) {
		var lead Lead
		for i := range int64(f.LeadCount) {
			lead = f.leads.get(i).lead(LeadID(i+1), f.leads.textOf(i))
			if !yield(&lead) {
				return
			}
		}
	}
}

// Contacts lists the contacts in commit order. Each is there until the next.
func (f *Frozen) Contacts() iter.Seq[*Contact] {
	return func(yield func(*Contact) bool) {
		var contact Contact
		for _, id := range f.order {
			stored := f.contacts.get(int64(id))
			if stored == nil || stored.ID == 0 {
				continue // forgotten
			}
			contact = f.contact(stored)
			if !yield(&contact) {
				return
			}
		}
	}
}

func (f *Frozen) contact(s *storedContact) Contact {
	var past *[]Step
	if p := f.pasts.get(int64(s.ID)); p != nil {
		past = *p
	}
	return s.contact(f.contacts.textOf(int64(s.ID)), past)
}

// KeyCount is the number of keys that are remembered.
func (f *Frozen) KeyCount() int { return f.keys.count }

// Keys lists the uses of keys that are remembered, the oldest first.
func (f *Frozen) Keys() iter.Seq[*KeyUse] { return f.keys.all }

// TrailPart is a piece of a source's trail. Begin is set in the first one.
type TrailPart struct {
	Source SourceID
	Begin  *LedgerState
	Steps  []TrailStep
}

// Trails lists the sources' trails in parts, in order.
func (f *Frozen) Trails() iter.Seq[*TrailPart] {
	return func(yield func(*TrailPart) bool) {
		for _, t := range f.trails {
			for i, l := range t.legs {
				part := &TrailPart{Source: t.source, Steps: l.list()}
				if i == 0 {
					begin := l.start.state()
					part.Begin = &begin
				}
				if !yield(part) {
					return
				}
			}
		}
	}
}
