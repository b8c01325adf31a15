package domain

import "fmt"

// maxIDGap is how far a contact's id may lie beyond the highest one so far: ids are given in order of arrival, so a
// larger jump is not a record of ours, and must not make us allocate.
const maxIDGap = 1 << 16

// Apply makes one durable record part of the committed state. An error says that the record does not fit the state:
// such a journal is not one that this program wrote, or this program has a bug. The state is then not to be used.
func (c *Catalog) Apply(r Record) error {
	c.index++
	c.last = max(c.last, r.At)
	for _, e := range r.Events {
		if err := c.apply(e, r.At); err != nil {
			return fmt.Errorf("record %d: %T: %w", c.index, e, err)
		}
	}
	return nil
}

func (c *Catalog) apply(event Event, at Time) error {
	switch e := event.(type) {
	case *OperatorCreated:
		return c.operatorCreated(e, at)
	case *OperatorChanged:
		return c.operatorChanged(e)
	case *SourceCreated:
		return c.sourceCreated(e, at)
	case *SourceChanged:
		return c.sourceChanged(e)
	case *LinkSet:
		return c.linkSet(e)
	case *LinkRemoved:
		return c.linkRemoved(e)
	case *LeadCreated:
		return c.leadCreated(e, at)
	case *LeadChanged:
		return c.leadChanged(e)
	case *LeadErased:
		return c.leadErased(e)
	case *ContactCreated:
		return c.contactCreated(e, at)
	case *ContactAssigned:
		return c.contactAssigned(e, at)
	case *ContactClosed:
		return c.contactClosed(e, at)
	case *ContactsArchived:
		return c.contactsArchived(e)
	}
	return fmt.Errorf("unknown event")
}

func (c *Catalog) operatorCreated(e *OperatorCreated, at Time) error {
	if want := OperatorID(len(c.operators) + 1); e.ID != want {
		return fmt.Errorf("operator %d instead of %d", e.ID, want)
	}
	c.operators = append(c.operators, operatorState{Operator: Operator{
		ID: e.ID, Name: e.Name, Active: e.Active, MaxLoad: e.MaxLoad, CreatedAt: at,
	}})
	return nil
}

func (c *Catalog) operatorChanged(e *OperatorChanged) error {
	o := c.operator(e.ID)
	if o == nil {
		return fmt.Errorf("no operator %d", e.ID)
	}
	o.Name, o.Active, o.MaxLoad = e.Name, e.Active, e.MaxLoad
	return nil
}

func (c *Catalog) sourceCreated(e *SourceCreated, at Time) error {
	if c.sources[e.ID] != nil || e.ID < 1 {
		return fmt.Errorf("source %d exists or cannot be", e.ID)
	}
	c.sources[e.ID] = &sourceState{Source: Source{ID: e.ID, Name: e.Name, Backlog: e.Backlog, CreatedAt: at}}
	c.sourceIDs = append(c.sourceIDs, e.ID)
	c.nextIDs.source = max(c.nextIDs.source, e.ID+1)
	return nil
}

func (c *Catalog) sourceChanged(e *SourceChanged) error {
	s := c.sources[e.ID]
	if s == nil {
		return fmt.Errorf("no source %d", e.ID)
	}
	s.Name, s.Backlog = e.Name, e.Backlog
	return nil
}

func (c *Catalog) linkSet(e *LinkSet) error {
	s := c.sources[e.Source]
	if s == nil || c.operator(e.Operator) == nil || e.Weight < 0 || e.Weight > MaxWeight {
		return fmt.Errorf("no source %d, no operator %d, or bad weight %d", e.Source, e.Operator, e.Weight)
	}
	s.ledger.Set(e.Operator, e.Weight)
	return nil
}

func (c *Catalog) linkRemoved(e *LinkRemoved) error {
	s := c.sources[e.Source]
	if s == nil {
		return fmt.Errorf("no source %d", e.Source)
	}
	if _, linked := s.ledger.Find(e.Operator); !linked {
		return fmt.Errorf("operator %d is not linked to source %d", e.Operator, e.Source)
	}
	s.ledger.Remove(e.Operator)
	return nil
}

func (c *Catalog) leadCreated(e *LeadCreated, at Time) error {
	if want := LeadID(c.leadCount + 1); e.ID != want {
		return fmt.Errorf("lead %d instead of %d", e.ID, want)
	}
	if e.Email == "" {
		return fmt.Errorf("lead %d has no email", e.ID)
	}
	if other, taken := c.byEmail[e.Email]; taken {
		return fmt.Errorf("lead %d has the email of lead %d", e.ID, other)
	}
	*c.leads.edit(int64(c.leadCount)) = Lead{ID: e.ID, Email: e.Email, Name: e.Name, Phone: e.Phone, CreatedAt: at}
	c.leadCount++
	c.byEmail[e.Email] = e.ID
	return nil
}

func (c *Catalog) leadChanged(e *LeadChanged) error {
	if l, known := c.Lead(e.ID); !known || l.Erased() {
		return fmt.Errorf("no lead %d", e.ID)
	}
	lead := c.leads.edit(int64(e.ID - 1))
	set(&lead.Name, e.Name)
	set(&lead.Phone, e.Phone)
	return nil
}

func (c *Catalog) contactCreated(e *ContactCreated, at Time) error {
	if lead, known := c.Lead(e.Lead); known && lead.Erased() {
		return fmt.Errorf("lead %d was erased", e.Lead)
	}
	place := c.places() + 1
	if err := c.placeContact(e, at, place); err != nil {
		return err
	}
	c.appendOrder(e.ID, place)
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
		ID: e.ID, Source: e.Source, Lead: e.Lead, Status: StatusOpen, Text: e.Text, CreatedAt: at, Place: place,
	}
	c.byStatus[StatusOpen].Add(contact.Place)
	s.contacts.Add(contact.Place)
	lead := c.leads.edit(int64(e.Lead - 1))
	lead.contacts = append(lead.contacts, contact.Place)
	s.backlog.Add(RankOf(e.ID))
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

func (c *Catalog) contactAssigned(e *ContactAssigned, at Time) error {
	contact, s, err := c.held(e.ID, e.Source, e.From)
	if err != nil {
		return err
	}
	o := c.operator(e.Operator)
	if _, linked := s.ledger.Find(e.Operator); !linked || o == nil {
		return fmt.Errorf("operator %d is not linked to source %d", e.Operator, e.Source)
	}
	if err := s.ledger.Replay(e.Operator, e.Among); err != nil {
		return err
	}
	c.unhold(contact, s)
	o.Load++
	o.contacts.Add(contact.Place)
	contact.Operator, contact.How, contact.AssignedAt = e.Operator, e.How, max(at, contact.CreatedAt)
	c.setStatus(contact, StatusAssigned)
	return nil
}

func (c *Catalog) contactClosed(e *ContactClosed, at Time) error {
	contact, s, err := c.held(e.ID, e.Source, e.Operator)
	if err != nil {
		return err
	}
	if contact.Status == StatusOpen {
		s.backlog.Remove(RankOf(e.ID))
	} else {
		c.operator(contact.Operator).Load--
	}
	contact.ClosedAt = max(at, contact.CreatedAt, contact.AssignedAt)
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
		s.backlog.Remove(RankOf(contact.ID))
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
