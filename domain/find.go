package domain

// Lookups for who answers a client: what is not there is a refusal that says why.

// FindOperator looks an operator up.
func (c *Catalog) FindOperator(id OperatorID) (Operator, error) {
	o, known := c.Operator(id)
	if !known {
		return o, OperatorGone(id)
	}
	return o, nil
}

// FindSource looks a source up.
func (c *Catalog) FindSource(id SourceID) (Source, error) {
	s, known := c.Source(id)
	if !known {
		return s, SourceGone(id)
	}
	return s, nil
}

// FindLead looks up a lead that was not erased.
func (c *Catalog) FindLead(id LeadID) (Lead, error) {
	lead, known := c.Lead(id)
	switch {
	case !known:
		return lead, Refuse(CodeLeadNotFound, "there is no lead %d", id)
	case lead.Erased():
		return lead, LeadGone(id)
	}
	return lead, nil
}

// FindContact looks up a contact that was not archived.
func (c *Catalog) FindContact(id ContactID) (Contact, error) {
	contact, known := c.Contact(id)
	if !known {
		return contact, c.Gone(id)
	}
	return contact, nil
}
