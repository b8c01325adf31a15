package domain

// Registry is the live state that knows who is who: email to lead, and the next ids of leads and contacts.
// It has one owner.
type Registry struct {
	byEmail     map[string]LeadID
	erased      map[LeadID]bool
	nextLead    LeadID
	nextContact ContactID
}

// Lookup is the lead that has an email.
func (r *Registry) Lookup(email string) (LeadID, bool) {
	id, known := r.byEmail[email]
	return id, known
}

// Add registers a lead under an email that nobody has.
func (r *Registry) Add(email string) LeadID {
	id := r.nextLead
	r.nextLead++
	r.byEmail[email] = id
	return id
}

// NextContact is the id of the contact that arrived just now.
func (r *Registry) NextContact() ContactID {
	id := r.nextContact
	r.nextContact++
	return id
}
