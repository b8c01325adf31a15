package domain

import (
	"fmt"
	"slices"
)

// maxContacts bounds the ids of contacts in a frozen catalog: a damaged one must not make us allocate, and a gap costs 18
// bytes for 256 ids. There are places for half as many.
const maxContacts ContactID = 1 << 33

// Thaw begins a catalog from the parts of a frozen one, but for its leads and contacts, which are to be added in their
// order, and then settled. Like Apply it refuses what cannot be, since a snapshot may be damaged in ways that its checksums do not show.
func Thaw(p Progress, operators []Operator, sources []FrozenSource) (*Catalog, error) {
	c := NewCatalog()
	c.index, c.last = p.Index, p.Last
	for _, o := range operators {
		if err := c.operatorCreated(o.Created(), o.CreatedAt); err != nil {
			return nil, err
		}
		c.operators[o.ID-1].Deleted = o.Deleted
	}
	for _, s := range sources {
		if err := c.sourceCreated(s.Source.created(), s.Source.CreatedAt); err != nil {
			return nil, err
		}
		c.sources[s.Source.ID].Deleted = s.Source.Deleted
		for _, l := range s.Ledger.Links {
			if o := c.operator(l.Operator); o == nil || o.Deleted || s.Source.Deleted {
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
		*c.leads.edit(int64(c.leadCount)) = storedLead{CreatedAt: l.CreatedAt}
		c.leadCount++
		return nil
	}
	return c.leadCreated(&LeadCreated{ID: l.ID, Email: l.Email, Name: l.Name, Phone: l.Phone}, l.CreatedAt)
}

// AddContact adds the next contact of a frozen catalog. A place of 0 is the one behind the contact before it.
func (c *Catalog) AddContact(n Contact) error {
	if known := int64(len(c.contacts.list)) * pageSize; n.ID >= c.nextIDs.contact || int64(n.ID) > known+maxIDGap {
		return fmt.Errorf("contact %d is beyond the next id %d, or far beyond the contacts before it", n.ID, c.nextIDs.contact)
	}
	o := c.operator(n.Operator)
	if n.Status < StatusOpen || n.Status > StatusClosed || (o == nil) != (n.Operator == 0) || n.Status == StatusAssigned && o == nil {
		return fmt.Errorf("contact %d has status %d and operator %d", n.ID, n.Status, n.Operator)
	}
	if err := c.checkRest(&n); err != nil {
		return err
	}
	last := c.lastPlace()
	if n.Place == 0 {
		n.Place = last + 1
	}
	lead, _ := c.Lead(n.Lead)
	beyond := c.thawed != 0 && n.Place > c.thawed
	if n.Place <= last || beyond || lead.ID != 0 && lead.Erased() && (n.Text != "" || n.Status != StatusClosed) {
		return fmt.Errorf("contact %d has place %d of %d, behind %d, or its lead was erased and it was not", n.ID, n.Place, c.thawed, last)
	}
	created := &ContactCreated{ID: n.ID, Source: n.Source, Lead: n.Lead, Text: n.Text, Priority: n.Priority}
	contact, err := c.placeContact(created, n.CreatedAt, n.Place)
	if err != nil {
		return err
	}
	c.order = append(c.order, n.ID) // Settle makes room for the places between
	s := c.sources[n.Source]
	contact.Operator, contact.Avoid, contact.How = n.Operator, n.Avoid, n.How
	contact.AssignedAt, contact.ClosedAt = n.AssignedAt, n.ClosedAt
	contact.CreatedBy, contact.AssignedBy, contact.ClosedBy = n.CreatedBy, n.AssignedBy, n.ClosedBy
	c.writeReason(contact, n.Reason)
	if n.past != nil {
		*c.pasts.edit(int64(n.ID)) = n.past
	}
	if n.Status != StatusOpen {
		s.backlog.Remove(contact.rank())
	}
	if n.Status == StatusClosed {
		s.live--
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

// checkRest checks the fields of a contact that nothing else depends on.
func (c *Catalog) checkRest(n *Contact) error {
	names := NameID(len(c.names.list))
	fits := n.Priority <= MaxPriority && n.How <= Sticky && (n.Avoid == 0 || c.operator(n.Avoid) != nil && n.Status == StatusOpen) &&
		max(n.CreatedBy, n.AssignedBy, n.ClosedBy) <= names && len(n.Past()) <= maxPast && len(n.Reason) <= maxReasonBytes
	for _, step := range n.Past() {
		fits = fits && step.Kind.Name() != "" && step.How <= Sticky && step.By <= names
	}
	if !fits {
		return fmt.Errorf("contact %d has a field that cannot be", n.ID)
	}
	return nil
}

// SetPast adds what a contact remembers beside its fields; before the contact is added.
func (n *Contact) SetPast(steps []Step) {
	if len(steps) > 0 {
		n.past = &steps
	}
}

// AddName adds the next name of a frozen catalog.
func (c *Catalog) AddName(name string) error {
	next := NameID(len(c.names.list) + 1)
	if c.names.id(name) != next {
		return fmt.Errorf("a name is there twice, or empty, or there are too many")
	}
	return nil
}

// AddKey adds the next use of a key of a frozen catalog.
func (c *Catalog) AddKey(use KeyUse) error {
	if !use.Given() || use.Contact < 1 || use.Contact >= c.nextIDs.contact {
		return fmt.Errorf("a key made contact %d", use.Contact)
	}
	c.keys.add(use)
	return nil
}

// AddTrail adds the next part of a frozen catalog's trails. Check says whether the last one leads to the source's ledger.
func (c *Catalog) AddTrail(p TrailPart) error {
	s := c.source(p.Source)
	if s == nil || len(p.Steps) == 0 || len(p.Steps) > legSize {
		return fmt.Errorf("a trail of source %d with %d steps", p.Source, len(p.Steps))
	}
	start := s.trail.end
	if (start == nil) != (p.Begin != nil) {
		return fmt.Errorf("the trail of source %d has no begin, or two", p.Source)
	}
	if start == nil {
		start = &Ledger{}
		if err := start.restore(*p.Begin); err != nil {
			return fmt.Errorf("the trail of source %d: %w", p.Source, err)
		}
	}
	l := leg{start: start, steps: make([]legStep, 0, len(p.Steps))}
	for i := range p.Steps {
		if err := p.Steps[i].fits(); err != nil {
			return err
		}
		l.add(p.Steps[i])
	}
	end, err := l.end()
	s.trail.legs, s.trail.end = append(s.trail.legs, l), end
	return err
}

// lastPlace is that of the contact that was added last.
func (c *Catalog) lastPlace() uint32 {
	if len(c.order) == 0 {
		return 0
	}
	return c.contacts.get(int64(c.order[len(c.order)-1])).Place
}

// Settle ends a thaw, when all is added. Only now it is known that the places between the contacts are those of contacts
// that were forgotten, and not of nobody: a damaged place must not make us allocate. And each trail must lead to its
// source's ledger.
func (c *Catalog) Settle() error {
	added, given := c.order, int64(len(c.order))
	for run := range c.view().Forgotten() {
		given += run.Count
	}
	if most := max(c.thawed, c.lastPlace()); int64(most) > given {
		return fmt.Errorf("%d places were given, and there were %d contacts", most, given)
	}
	if len(added) > 0 {
		c.trimmed = c.contacts.get(int64(added[0])).Place - 1
		if uint32(len(added)) != c.lastPlace()-c.trimmed {
			c.order = nil
			for _, id := range added {
				c.appendOrder(id, c.contacts.get(int64(id)).Place)
			}
		}
	}
	for _, id := range c.order {
		if id != 0 {
			c.chain(c.contacts.get(int64(id)))
		}
	}
	for _, id := range c.sourceIDs {
		if err := c.checkTrail(id); err != nil {
			return err
		}
		c.sources[id].trail.end = nil
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
