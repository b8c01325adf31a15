package domain

import "fmt"

func (c *Catalog) contactCreated(e *ContactCreated, at Time, by NameID) error {
	if lead, known := c.Lead(e.Lead); known && lead.Erased() {
		return fmt.Errorf("lead %d was erased", e.Lead)
	}
	if c.source(e.Source) == nil || e.Priority > MaxPriority {
		return fmt.Errorf("no source %d, or bad priority %d", e.Source, e.Priority)
	}
	place := c.places() + 1
	if err := c.placeContact(e, at, place); err != nil {
		return err
	}
	c.appendOrder(e.ID, place)
	c.contacts.edit(int64(e.ID)).CreatedBy = by
	if e.Key.Given() {
		c.keys.add(KeyUse{Key: e.Key, Contact: e.ID, At: at})
	}
	return nil
}

// placeContact adds a new contact, which has or will have this place in commit order.
func (c *Catalog) placeContact(e *ContactCreated, at Time, place uint32) error {
	s := c.sources[e.Source]
	if s == nil || !c.hasLead(e.Lead) {
		return fmt.Errorf("no source %d or no lead %d", e.Source, e.Lead)
	}
	if e.ID < 1 || e.ID > c.nextIDs.contact+maxIDGap {
		return fmt.Errorf("contact %d is out of range", e.ID)
	}
	if _, forgotten := c.Forgotten(e.ID); forgotten || c.has(e.ID) {
		return fmt.Errorf("contact %d exists", e.ID)
	}
	contact := c.contacts.edit(int64(e.ID))
	c.count(e.ID)
	c.nextIDs.contact = max(c.nextIDs.contact, e.ID+1)
	*contact = Contact{
		ID: e.ID, Source: e.Source, Lead: e.Lead, Status: StatusOpen, Text: e.Text, Priority: e.Priority,
		CreatedAt: at, Place: place,
	}
	s.live++
	c.byStatus[StatusOpen].Add(contact.Place)
	s.contacts.Add(contact.Place)
	lead := c.leads.edit(int64(e.Lead - 1))
	lead.contacts = append(lead.contacts, contact.Place)
	s.backlog.Add(contact.rank())
	return nil
}

// count counts a new contact in its page.
func (c *Catalog) count(id ContactID) {
	for n := int64(id) / pageSize; n >= int64(len(c.living)); {
		c.living = append(c.living, 0)
	}
	c.living[int64(id)/pageSize]++
}

// appendOrder puts a contact at a place behind all others; places between, of what was forgotten, stay empty.
func (c *Catalog) appendOrder(id ContactID, place uint32) {
	if len(c.order) == 0 {
		c.trimmed = place - 1
	}
	for c.trimmed+uint32(len(c.order)) < place-1 {
		c.order = append(c.order, 0)
	}
	c.order = append(c.order, id)
}

func (c *Catalog) contactAssigned(e *ContactAssigned, at Time, by NameID) error {
	contact, s, err := c.held(e.ID, e.Source, e.From)
	if err != nil {
		return err
	}
	o := c.operator(e.Operator)
	if o == nil {
		return fmt.Errorf("no operator %d", e.Operator)
	}
	step := TrailStep{At: at, Contact: e.ID, Operator: e.Operator, How: e.How}
	if err := c.decide(s, step, e.Among); err != nil {
		return err
	}
	if e.From != 0 {
		contact.note(contact.assignment())
	}
	c.unhold(contact, s)
	o.Load++
	o.contacts.Add(contact.Place)
	contact.Operator, contact.How, contact.Avoid = e.Operator, e.How, 0
	contact.AssignedAt, contact.AssignedBy = contact.notBefore(at), by
	c.setStatus(contact, StatusAssigned)
	return nil
}

// decide books an assignment in a source's ledger and notes it in its trail.
func (c *Catalog) decide(s *sourceState, step TrailStep, among Among) error {
	s.trail.open(&s.ledger)
	if err := s.ledger.Replay(step.Operator, among, step.How); err != nil {
		return err
	}
	step.Charged = among.Kind != Uncharged
	if step.Charged {
		var set Rows // nil = alone
		if among.Kind != Alone {
			set = s.ledger.plan.set
		}
		step.Situation = s.trail.situation(set, c.outOf(s))
	}
	s.trail.add(step)
	return nil
}

// outOf says which of a source's operators are inactive or draining.
func (c *Catalog) outOf(s *sourceState) Out {
	if s.outKnown && s.outAt == c.states {
		return s.out
	}
	links := s.ledger.Links()
	s.out = Out{Inactive: s.out.Inactive.cleared(len(links)), Draining: s.out.Draining.cleared(len(links))}
	for row := range links {
		switch o := c.operator(links[row].Operator); {
		case o.Draining:
			s.out.Draining.Add(row)
		case !o.Active:
			s.out.Inactive.Add(row)
		}
	}
	s.outKnown, s.outAt = true, c.states
	return s.out
}

func (c *Catalog) contactReleased(e *ContactReleased, at Time, by NameID) error {
	contact, s, err := c.held(e.ID, e.Source, e.Operator)
	if err != nil {
		return err
	}
	if e.Operator == 0 {
		return fmt.Errorf("contact %d is open", e.ID)
	}
	contact.note(contact.assignment(), Step{At: contact.notBefore(at), Kind: StepReleased, By: by, From: e.Operator})
	c.unhold(contact, s)
	contact.Avoid = e.Operator
	contact.Operator, contact.How, contact.AssignedAt, contact.AssignedBy = 0, 0, 0, 0
	c.setStatus(contact, StatusOpen)
	s.backlog.Add(contact.rank())
	return nil
}

func (c *Catalog) contactReopened(e *ContactReopened, at Time, by NameID) error {
	s := c.source(e.Source)
	found := c.contacts.get(int64(e.ID))
	if s == nil || found == nil || found.ID == 0 || found.Source != e.Source || found.Status != StatusClosed || e.Priority > MaxPriority {
		return fmt.Errorf("no closed contact %d in source %d, or bad priority %d", e.ID, e.Source, e.Priority)
	}
	if lead, _ := c.Lead(found.Lead); lead.Erased() {
		return fmt.Errorf("lead %d was erased", found.Lead)
	}
	contact := c.contacts.edit(int64(e.ID))
	if contact.Operator != 0 {
		contact.note(contact.assignment())
		c.operator(contact.Operator).contacts.Remove(contact.Place)
	}
	contact.note(contact.closing(), Step{At: max(at, contact.ClosedAt), Kind: StepReopened, By: by})
	contact.Operator, contact.How, contact.AssignedAt, contact.AssignedBy = 0, 0, 0, 0
	contact.ClosedAt, contact.ClosedBy, contact.Reason = 0, 0, ""
	contact.Priority = e.Priority
	c.setStatus(contact, StatusOpen)
	s.backlog.Add(contact.rank())
	s.live++
	return nil
}

func (c *Catalog) contactPrioritised(e *ContactPrioritised) error {
	contact, s, err := c.held(e.ID, e.Source, 0)
	if err != nil {
		return err
	}
	if e.Priority > MaxPriority {
		return fmt.Errorf("bad priority %d", e.Priority)
	}
	s.backlog.Remove(contact.rank())
	contact.Priority = e.Priority
	s.backlog.Add(contact.rank())
	return nil
}

func (c *Catalog) contactClosed(e *ContactClosed, at Time, by NameID) error {
	contact, s, err := c.held(e.ID, e.Source, e.Operator)
	if err != nil {
		return err
	}
	if contact.Status == StatusOpen {
		s.backlog.Remove(contact.rank())
	} else {
		c.operator(contact.Operator).Load--
	}
	s.live--
	contact.ClosedAt, contact.ClosedBy, contact.Reason = contact.notBefore(at), by, e.Reason
	contact.Avoid = 0
	c.setStatus(contact, StatusClosed)
	return nil
}

// held finds a contact that is not closed, to be changed, and checks that holder (0 = nobody) holds it as the event says.
func (c *Catalog) held(id ContactID, source SourceID, holder OperatorID) (*Contact, *sourceState, error) {
	contact := c.contacts.get(int64(id))
	switch {
	case contact == nil || contact.ID == 0 || contact.Source != source:
		return nil, nil, fmt.Errorf("no contact %d in source %d", id, source)
	case contact.Status == StatusClosed:
		return nil, nil, fmt.Errorf("contact %d is closed", id)
	case (contact.Status == StatusAssigned) != (holder != 0) || contact.Operator != holder:
		return nil, nil, fmt.Errorf("contact %d is held by operator %d, not by %d", id, contact.Operator, holder)
	}
	return c.contacts.edit(int64(id)), c.sources[source], nil
}

// unhold takes an open contact out of the backlog, or an assigned one from its operator.
func (c *Catalog) unhold(contact *Contact, s *sourceState) {
	if contact.Status == StatusOpen {
		s.backlog.Remove(contact.rank())
		return
	}
	from := c.operator(contact.Operator)
	from.Load--
	from.contacts.Remove(contact.Place)
}

func (c *Catalog) setStatus(contact *Contact, status Status) {
	if contact.Status == status {
		return
	}
	c.byStatus[contact.Status].Remove(contact.Place)
	c.byStatus[status].Add(contact.Place)
	contact.Status = status
}
