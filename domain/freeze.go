package domain

import (
	"fmt"
	"iter"
	"slices"
)

// Frozen is the committed state at one place of the journal, for a snapshot: it can be read while the catalog goes on,
// without a lock. What can be derived from it (loads, backlogs, indexes) is not part of it.
type Frozen struct {
	Progress  Progress
	Operators []Operator     // in id order, without their loads
	Sources   []FrozenSource // in commit order
	LeadCount int
	leads     view[Lead]
	contacts  view[Contact]
	order     []ContactID
	living    int // contacts
	days      view[uint16]
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

// Freeze is the state as it is now. It costs a copy of all operators and links, and of one pointer for each page of
// leads and contacts.
func (c *Catalog) Freeze() *Frozen {
	f := c.view()
	f.leads, f.contacts, f.days = c.leads.freeze(), c.contacts.freeze(), c.days.freeze()
	return f
}

// view is what Freeze gives, but only until the catalog changes.
func (c *Catalog) view() *Frozen {
	f := &Frozen{
		Progress:  Progress{Index: c.index, Last: c.last, NextSource: c.nextIDs.source, NextContact: c.nextIDs.contact, Places: c.places()},
		LeadCount: c.leadCount,
		leads:     c.leads.list,
		contacts:  c.contacts.list,
		order:     c.order[:len(c.order):len(c.order)],
		days:      c.days.list,
		living:    c.contactCount(),
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

// Leads lists the leads in commit order.
func (f *Frozen) Leads() iter.Seq[*Lead] {
	return func(yield func(*Lead) bool) {
		for i := range f.LeadCount {
			if !yield(f.leads.get(int64(i))) {
				return
			}
		}
	}
}

// Contacts lists the contacts in commit order.
func (f *Frozen) Contacts() iter.Seq[*Contact] {
	return func(yield func(*Contact) bool) {
		for _, id := range f.order {
			contact := f.contacts.get(int64(id))
			if contact == nil || contact.ID == 0 {
				continue // forgotten
			}
			if !yield(contact) {
				return
			}
		}
	}
}

// maxContacts bounds the ids of contacts in a frozen catalog: a damaged one must not make us allocate, and a gap costs 18
// bytes for 256 ids. There are places for half as many.
const maxContacts ContactID = 1 << 33

// Thaw begins a catalog from the parts of a frozen one, but for its leads and contacts, which are to be added in their
// order, and then settled. Like Apply it refuses what cannot be, since a snapshot may be damaged in ways that its checksums
// do not show.
func Thaw(p Progress, operators []Operator, sources []FrozenSource) (*Catalog, error) {
	c := NewCatalog()
	c.index, c.last = p.Index, p.Last
	for _, o := range operators {
		created := &OperatorCreated{ID: o.ID, Name: o.Name, Active: o.Active, MaxLoad: o.MaxLoad}
		if err := c.operatorCreated(created, o.CreatedAt); err != nil {
			return nil, err
		}
	}
	for _, s := range sources {
		created := &SourceCreated{ID: s.Source.ID, Name: s.Source.Name, Backlog: s.Source.Backlog}
		if err := c.sourceCreated(created, s.Source.CreatedAt); err != nil {
			return nil, err
		}
		for _, l := range s.Ledger.Links {
			if c.operator(l.Operator) == nil {
				return nil, fmt.Errorf("source %d is linked to operator %d, who does not exist", s.Source.ID, l.Operator)
			}
		}
		if err := c.sources[s.Source.ID].ledger.restore(s.Ledger); err != nil {
			return nil, fmt.Errorf("source %d: %w", s.Source.ID, err)
		}
	}
	if c.nextIDs.source > p.NextSource {
		return nil, fmt.Errorf("the next source is %d, but a later one exists", p.NextSource)
	}
	if p.NextContact > maxContacts {
		return nil, fmt.Errorf("the next contact is %d", p.NextContact)
	}
	c.nextIDs.source, c.nextIDs.contact, c.thawed = p.NextSource, p.NextContact, p.Places
	return c, nil
}

// AddLead adds the next lead of a frozen catalog.
func (c *Catalog) AddLead(l Lead) error {
	if l.Erased() && l.ID == LeadID(c.leadCount+1) {
		*c.leads.edit(int64(c.leadCount)) = Lead{ID: l.ID, CreatedAt: l.CreatedAt}
		c.leadCount++
		return nil
	}
	return c.leadCreated(&LeadCreated{ID: l.ID, Email: l.Email, Name: l.Name, Phone: l.Phone}, l.CreatedAt)
}

// AddContact adds the next contact of a frozen catalog. A place of 0 is the one behind the contact before it.
func (c *Catalog) AddContact(n Contact) error {
	if n.ID >= c.nextIDs.contact {
		return fmt.Errorf("contact %d is beyond the next id %d", n.ID, c.nextIDs.contact)
	}
	o := c.operator(n.Operator)
	if n.Status < StatusOpen || n.Status > StatusClosed || (o == nil) != (n.Operator == 0) || n.Status == StatusAssigned && o == nil {
		return fmt.Errorf("contact %d has status %d and operator %d", n.ID, n.Status, n.Operator)
	}
	last := c.lastPlace()
	if n.Place == 0 {
		n.Place = last + 1
	}
	lead, _ := c.Lead(n.Lead)
	if n.Place <= last || c.thawed != 0 && n.Place > c.thawed || lead.ID != 0 && lead.Erased() && (n.Text != "" || n.Status != StatusClosed) {
		return fmt.Errorf("contact %d has place %d of %d, behind %d, or its lead was erased and it was not", n.ID, n.Place, c.thawed, last)
	}
	created := &ContactCreated{ID: n.ID, Source: n.Source, Lead: n.Lead, Text: n.Text}
	if err := c.placeContact(created, n.CreatedAt, n.Place); err != nil {
		return err
	}
	c.order = append(c.order, n.ID) // Settle makes room for the places between
	contact := c.contacts.edit(int64(n.ID))
	contact.Operator, contact.How, contact.AssignedAt, contact.ClosedAt = n.Operator, n.How, n.AssignedAt, n.ClosedAt
	if n.Status != StatusOpen {
		c.sources[n.Source].backlog.Remove(RankOf(n.ID))
	}
	if o != nil {
		o.contacts.Add(contact.Place)
	}
	if n.Status == StatusAssigned {
		o.Load++
	}
	c.setStatus(contact, n.Status)
	return nil
}

// lastPlace is that of the contact that was added last.
func (c *Catalog) lastPlace() uint32 {
	if len(c.order) == 0 {
		return 0
	}
	return c.contacts.get(int64(c.order[len(c.order)-1])).Place
}

// Settle ends a thaw, when all is added. Only now it is known that the places between the contacts are those of contacts that
// were forgotten, and not of nobody: a damaged place must not make us allocate.
func (c *Catalog) Settle() error {
	added, given := c.order, int64(len(c.order))
	for run := range c.view().Forgotten() {
		given += run.Count
	}
	if most := max(c.thawed, c.lastPlace()); int64(most) > given {
		return fmt.Errorf("%d places were given, and there were %d contacts", most, given)
	}
	if len(added) == 0 {
		return nil
	}
	c.trimmed = c.contacts.get(int64(added[0])).Place - 1
	if uint32(len(added)) == c.lastPlace()-c.trimmed {
		return nil
	}
	c.order = nil
	for _, id := range added {
		c.appendOrder(id, c.contacts.get(int64(id)).Place)
	}
	return nil
}

func (l *Ledger) state() LedgerState {
	s := LedgerState{Links: slices.Clone(l.rows), Decisions: l.decisions, Linked: l.linked}
	if l.plan.spelled {
		s.Spelled = slices.Clone(l.plan.set)
	}
	return s
}

func (l *Ledger) restore(s LedgerState) error {
	l.rows, l.decisions, l.linked = slices.Clone(s.Links), s.Decisions, s.Linked
	var sum int64
	for i, r := range l.rows {
		sum += r.Lag
		if i > 0 && r.Operator <= l.rows[i-1].Operator || r.Weight < 0 || r.Weight > MaxWeight || r.Last > s.Decisions || r.Seq > s.Linked {
			return fmt.Errorf("the link of operator %d cannot be: %+v", r.Operator, r)
		}
	}
	if sum != 0 || len(l.rows) > MaxLinks {
		return fmt.Errorf("%d links whose lags sum to %d", len(l.rows), sum)
	}
	if s.Spelled == nil {
		return nil
	}
	k := s.Spelled.Count()
	if k < 2 || !l.holds(s.Spelled) {
		return fmt.Errorf("the last eligible set does not fit the links")
	}
	l.plan.make(s.Spelled, l.rows, int64(k))
	l.plan.spelled = true
	return nil
}
