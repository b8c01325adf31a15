package domain

import "fmt"

// maxIDGap is how far a contact's id may lie beyond the highest one so far. Sources commit in any order what they gave ids
// to, and hardly any id is wasted (see Desk.Create), so a larger jump is not a record of ours. It makes us allocate 40 MiB
// at most.
const maxIDGap = 1 << 30

// Apply makes one durable record part of the committed state. An error says that the record does not fit the state:
// such a journal is not one that this program wrote, or this program has a bug. The state is then not to be used.
func (c *Catalog) Apply(r Record) error {
	c.index++
	c.last = max(c.last, r.At)
	by := c.names.id(r.By)
	for _, e := range r.Events {
		if err := c.apply(e, r.At, by); err != nil {
			return fmt.Errorf("record %d: %T: %w", c.index, e, err)
		}
	}
	c.keys.forget(c.last)
	return nil
}

func (c *Catalog) apply(event Event, at Time, by NameID) error {
	switch e := event.(type) {
	case *OperatorCreated:
		return c.operatorCreated(e, at)
	case *OperatorChanged:
		return c.operatorChanged(e)
	case *OperatorDeleted:
		return c.operatorDeleted(e)
	case *OperatorDrawn:
		return c.operatorDrawn(e, at)
	case *SourceCreated:
		return c.sourceCreated(e, at)
	case *SourceChanged:
		return c.sourceChanged(e)
	case *SourceDeleted:
		return c.sourceDeleted(e)
	case *LinkSet:
		return c.linkSet(e, at)
	case *LinkRemoved:
		return c.linkRemoved(e, at)
	case *LeadCreated:
		return c.leadCreated(e, at)
	case *LeadChanged:
		return c.leadChanged(e)
	case *LeadErased:
		return c.leadErased(e)
	case *ContactCreated:
		return c.contactCreated(e, at, by)
	case *ContactAssigned:
		return c.contactAssigned(e, at, by)
	case *ContactReleased:
		return c.contactReleased(e, at, by)
	case *ContactReopened:
		return c.contactReopened(e, at, by)
	case *ContactPrioritised:
		return c.contactPrioritised(e)
	case *ContactClosed:
		return c.contactClosed(e, at, by)
	case *ContactsArchived:
		return c.contactsArchived(e)
	}
	return fmt.Errorf("unknown event")
}

func (c *Catalog) operatorCreated(e *OperatorCreated, at Time) error {
	if want := OperatorID(len(c.operators) + 1); e.ID != want {
		return fmt.Errorf("operator %d instead of %d", e.ID, want)
	}
	if e.Active && e.Draining {
		return fmt.Errorf("operator %d is active and draining", e.ID)
	}
	c.operators = append(c.operators, operatorState{Operator: Operator{
		ID: e.ID, Name: e.Name, Active: e.Active, Draining: e.Draining, MaxLoad: e.MaxLoad,
		ExternalID: e.ExternalID, Username: e.Username, CreatedAt: at,
	}})
	c.states++
	return nil
}

func (c *Catalog) operatorChanged(e *OperatorChanged) error {
	o := c.operator(e.ID)
	if o == nil || o.Deleted || e.Active && e.Draining {
		return fmt.Errorf("no operator %d, or it is active and draining", e.ID)
	}
	o.Name, o.Active, o.Draining, o.MaxLoad = e.Name, e.Active, e.Draining, e.MaxLoad
	o.ExternalID, o.Username = e.ExternalID, e.Username
	c.states++
	return nil
}

func (c *Catalog) operatorDeleted(e *OperatorDeleted) error {
	o := c.operator(e.ID)
	if o == nil || o.Deleted || o.Load > 0 {
		return fmt.Errorf("no operator %d, or it has contacts", e.ID)
	}
	for _, id := range c.sourceIDs {
		if _, linked := c.sources[id].ledger.Find(e.ID); linked {
			return fmt.Errorf("operator %d is linked to source %d", e.ID, id)
		}
	}
	o.Active, o.Draining, o.Deleted = false, false, true
	c.states++
	return nil
}

func (c *Catalog) operatorDrawn(e *OperatorDrawn, at Time) error {
	s := c.source(e.Source)
	if s == nil || e.Among.Kind == Uncharged {
		return fmt.Errorf("no source %d, or the ledger was not charged", e.Source)
	}
	return c.decide(s, TrailStep{At: at, Operator: e.Operator, How: Automatic}, e.Among)
}

func (c *Catalog) sourceCreated(e *SourceCreated, at Time) error {
	if c.sources[e.ID] != nil || e.ID < 1 {
		return fmt.Errorf("source %d exists or cannot be", e.ID)
	}
	c.sources[e.ID] = &sourceState{Source: Source{
		ID: e.ID, Name: e.Name, Backlog: e.Backlog, BacklogLimit: e.BacklogLimit, StickyWindow: e.StickyWindow, CreatedAt: at,
	}}
	c.sourceIDs = append(c.sourceIDs, e.ID)
	c.nextIDs.source = max(c.nextIDs.source, e.ID+1)
	return nil
}

func (c *Catalog) sourceChanged(e *SourceChanged) error {
	s := c.source(e.ID)
	if s == nil {
		return fmt.Errorf("no source %d", e.ID)
	}
	s.Name, s.Backlog, s.BacklogLimit, s.StickyWindow = e.Name, e.Backlog, e.BacklogLimit, e.StickyWindow
	return nil
}

func (c *Catalog) sourceDeleted(e *SourceDeleted) error {
	s := c.source(e.ID)
	if s == nil || s.live > 0 {
		return fmt.Errorf("no source %d, or it has live contacts", e.ID)
	}
	s.Deleted, s.ledger, s.trail = true, Ledger{}, trail{}
	return nil
}

// source is a source that was not deleted.
func (c *Catalog) source(id SourceID) *sourceState {
	if s := c.sources[id]; s != nil && !s.Deleted {
		return s
	}
	return nil
}

func (c *Catalog) linkSet(e *LinkSet, at Time) error {
	s, o := c.source(e.Source), c.operator(e.Operator)
	if s == nil || o == nil || o.Deleted || e.Weight < 0 || e.Weight > MaxWeight {
		return fmt.Errorf("no source %d, no operator %d, or bad weight %d", e.Source, e.Operator, e.Weight)
	}
	s.relink(TrailStep{At: at, Operator: e.Operator, Weight: e.Weight})
	return nil
}

func (c *Catalog) linkRemoved(e *LinkRemoved, at Time) error {
	s := c.source(e.Source)
	if s == nil {
		return fmt.Errorf("no source %d", e.Source)
	}
	if _, linked := s.ledger.Find(e.Operator); !linked {
		return fmt.Errorf("operator %d is not linked to source %d", e.Operator, e.Source)
	}
	s.relink(TrailStep{At: at, Operator: e.Operator, Weight: -1})
	return nil
}

// relink changes a link.
func (s *sourceState) relink(step TrailStep) {
	s.trail.open(&s.ledger)
	s.ledger.relink(step.Operator, step.Weight)
	s.trail.add(step)
	s.outKnown = false
}

func (c *Catalog) leadCreated(e *LeadCreated, at Time) error {
	if want := LeadID(c.leadCount + 1); e.ID != want {
		return fmt.Errorf("lead %d instead of %d", e.ID, want)
	}
	if e.Email == "" {
		return fmt.Errorf("lead %d has no email", e.ID)
	}
	if other, taken := c.byEmail.find(e.Email); taken {
		return fmt.Errorf("lead %d has the email of lead %d", e.ID, other)
	}
	if l := (&Lead{Email: e.Email, Name: e.Name, Phone: e.Phone}); !l.fits() {
		return fmt.Errorf("lead %d has an email, a name or a phone that is too long", e.ID)
	}
	c.leads.edit(int64(c.leadCount)).CreatedAt = at
	c.leadCount++
	c.writeLead(e.ID, e.Email, e.Name, e.Phone)
	c.byEmail.add(e.Email, e.ID)
	return nil
}

func (c *Catalog) leadChanged(e *LeadChanged) error {
	lead, known := c.Lead(e.ID)
	if !known || lead.Erased() {
		return fmt.Errorf("no lead %d", e.ID)
	}
	set(&lead.Name, e.Name)
	set(&lead.Phone, e.Phone)
	if !lead.fits() {
		return fmt.Errorf("lead %d has a name or a phone that is too long", e.ID)
	}
	c.writeLead(e.ID, lead.Email, lead.Name, lead.Phone)
	return nil
}
