package domain

// Registry is the live state that knows who is who: email to lead, and the next id of a lead. It has one owner.
type Registry struct {
	byEmail  emails
	erased   map[LeadID]bool
	noName   Rows // leads whose name is blank
	noPhone  Rows // leads whose phone is blank
	nextLead LeadID
}

// Lookup is the lead that has an email.
func (r *Registry) Lookup(email string) (LeadID, bool) {
	return r.byEmail.find(email)
}

// Add registers a lead under an email that nobody has.
func (r *Registry) Add(n NewLead) LeadID {
	id := r.nextLead
	r.nextLead++
	r.byEmail.add(n.Email, id)
	r.Note(id, &n.Name, &n.Phone)
	return id
}

// Note notes a lead's new name and phone; nil = it is as it was.
func (r *Registry) Note(id LeadID, name, phone *string) {
	r.noName = noted(r.noName, id, name)
	r.noPhone = noted(r.noPhone, id, phone)
}

func noted(blank Rows, id LeadID, value *string) Rows {
	if value == nil {
		return blank
	}
	for len(blank) <= int(id>>6) {
		blank = append(blank, 0)
	}
	if *value == "" {
		blank.Add(int(id))
	} else {
		blank.Remove(int(id))
	}
	return blank
}

// Fill fills in a lead's blank name and phone with those of its new contact, and returns the event that says so; nil =
// nothing is filled in. What is not blank stays: an admin may have set it.
func (r *Registry) Fill(id LeadID, name, phone string) *LeadChanged {
	fillName, fillPhone := name != "" && r.noName.Has(int(id)), phone != "" && r.noPhone.Has(int(id))
	if !fillName && !fillPhone {
		return nil
	}
	changed := &LeadChanged{ID: id}
	if fillName {
		changed.Name = new(name)
	}
	if fillPhone {
		changed.Phone = new(phone)
	}
	r.Note(id, changed.Name, changed.Phone)
	return changed
}
