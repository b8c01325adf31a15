package domain

// What the catalog keeps of contacts and leads. Readers get a Contact and a Lead, which are made of it when they are read.

// storedContact is a contact without its words and its past, which lie beside its page.
type storedContact struct {
	ID         ContactID // 0 = there is none
	Source     SourceID
	Lead       LeadID
	Operator   OperatorID
	Avoid      OperatorID
	CreatedAt  Time
	AssignedAt Time
	ClosedAt   Time

	Place                           uint32
	CreatedBy, AssignedBy, ClosedBy NameID

	textAt, reasonAt         uint32 // in the words of the page
	textLength, reasonLength uint16

	Status   Status
	How      How
	Priority uint8
}

// storedLead is a lead without its words: its email, its name and its phone, one behind the other. Lead i+1 is at i.
type storedLead struct {
	CreatedAt   Time
	wordsAt     uint32
	nameLength  uint16
	emailLength uint8 // 0 = the lead was erased
	phoneLength uint8
}

// size is the bytes of all its words.
func (s *storedContact) size() int { return int(s.textLength) + int(s.reasonLength) }

// words implements worded.
func (s *storedContact) words(fn func(at *uint32, length int)) {
	fn(&s.textAt, int(s.textLength))
	fn(&s.reasonAt, int(s.reasonLength))
}

// rank is the contact's rank.
func (s *storedContact) rank() Rank { return RankOf(s.ID, s.Priority) }

// contact is the contact as readers see it: words are those of its page.
func (s *storedContact) contact(words string, past *[]Step) Contact {
	return Contact{
		ID: s.ID, Source: s.Source, Lead: s.Lead, Operator: s.Operator, Avoid: s.Avoid,
		Text: words[s.textAt:][:s.textLength], Reason: words[s.reasonAt:][:s.reasonLength],
		CreatedAt: s.CreatedAt, AssignedAt: s.AssignedAt, ClosedAt: s.ClosedAt,
		Place: s.Place, Status: s.Status, How: s.How, Priority: s.Priority,
		CreatedBy: s.CreatedBy, AssignedBy: s.AssignedBy, ClosedBy: s.ClosedBy, past: past,
	}
}

// size is the bytes of all its words.
func (s *storedLead) size() int { return int(s.emailLength) + int(s.nameLength) + int(s.phoneLength) }

// words implements worded.
func (s *storedLead) words(fn func(at *uint32, length int)) { fn(&s.wordsAt, s.size()) }

// erased says that the lead was erased.
func (s *storedLead) erased() bool { return s.emailLength == 0 }

// lead is the lead as readers see it: words are those of its page.
func (s *storedLead) lead(id LeadID, words string) Lead {
	own := words[s.wordsAt:][:s.size()]
	name := int(s.emailLength)
	phone := name + int(s.nameLength)
	return Lead{ID: id, Email: own[:name], Name: own[name:phone], Phone: own[phone:], CreatedAt: s.CreatedAt}
}

// contact is a stored contact as readers see it.
func (c *Catalog) contact(s *storedContact) Contact {
	return s.contact(c.contacts.textOf(int64(s.ID)), c.past(s.ID))
}

// past is what a contact remembers beside its fields; nil = nothing.
func (c *Catalog) past(id ContactID) *[]Step {
	if p := c.pasts.get(int64(id)); p != nil {
		return *p
	}
	return nil
}

// note keeps steps beside a contact.
func (c *Catalog) note(s *storedContact, steps ...Step) {
	noted := Contact{past: c.past(s.ID)}
	noted.note(steps...)
	*c.pasts.edit(int64(s.ID)) = noted.past
}

// writeText gives a new contact its text.
func (c *Catalog) writeText(s *storedContact, text string) {
	s.textAt, s.textLength = c.contacts.write(int64(s.ID), text), uint16(len(text))
}

// writeReason gives a contact another reason.
func (c *Catalog) writeReason(s *storedContact, reason string) {
	before := int(s.reasonLength)
	s.reasonAt, s.reasonLength = c.contacts.write(int64(s.ID), reason), uint16(len(reason))
	c.contacts.discard(int64(s.ID), before)
}

// writeLead gives a lead other words.
func (c *Catalog) writeLead(id LeadID, email, name, phone string) {
	at := int64(id - 1)
	s := c.leads.edit(at)
	before := s.size()
	s.wordsAt = c.leads.write(at, email)
	c.leads.write(at, name)
	c.leads.write(at, phone)
	s.emailLength, s.nameLength, s.phoneLength = uint8(len(email)), uint16(len(name)), uint8(len(phone))
	c.leads.discard(at, before)
}

// notBefore is a time, or that of the contact's last step if that is later: a grant carries the time of the release that
// made it, and the contact that gets the seat may have been released or reopened since.
func (c *Catalog) notBefore(s *storedContact, at Time) Time {
	at = max(at, s.CreatedAt, s.AssignedAt)
	if past := c.past(s.ID); past != nil {
		at = max(at, (*past)[len(*past)-1].At)
	}
	return at
}
