package domain

import (
	"fmt"
	"slices"
)

// To erase a person is to forget the lead's email, name and phone and the texts and reasons of its contacts; ids and counts stay.
//
// An erased lead has no live contact, ever: LeadErased may only be committed when every contact that names the lead is
// committed and closed, and whoever decides that passes no contact on for the lead from then on (actors/leads.go).
// The email is free: a new contact with it makes a new lead.

// Erased says that the lead was erased. No other lead has an empty email.
func (l *Lead) Erased() bool { return l.Email == "" }

// LiveContact finds a contact of the lead that is not closed; 0 = there is none.
func (c *Catalog) LiveContact(id LeadID) ContactID {
	if !c.hasLead(id) {
		return 0
	}
	for _, place := range c.leads.get(int64(id - 1)).contacts {
		if contact := c.placed(place); contact.Status != StatusClosed {
			return contact.ID
		}
	}
	return 0
}

func (c *Catalog) leadErased(e *LeadErased) error {
	lead, known := c.Lead(e.ID)
	if !known || lead.Erased() {
		return fmt.Errorf("no lead %d", e.ID)
	}
	if id := c.LiveContact(e.ID); id != 0 {
		return fmt.Errorf("contact %d is not closed", id)
	}
	for _, place := range lead.contacts {
		c.contacts.edit(int64(c.placed(place).ID)).forgetWords()
	}
	delete(c.byEmail, lead.Email)
	erased := c.leads.edit(int64(e.ID - 1))
	erased.Email, erased.Name, erased.Phone = "", "", ""
	return nil
}

// forgetWords forgets what people wrote in a contact.
func (c *Contact) forgetWords() {
	c.Text, c.Reason = "", ""
	if c.past == nil {
		return
	}
	steps := slices.Clone(*c.past) // a frozen view may read the old ones
	for i := range steps {
		steps[i].Reason = ""
	}
	c.past = &steps
}

// Erase forgets a lead: its email is free from now on.
func (r *Registry) Erase(l Lead) {
	delete(r.byEmail, l.Email)
	r.erased[l.ID] = true
	r.Note(l.ID, new(string), new(string))
}

// Erased says that a lead was erased.
func (r *Registry) Erased(id LeadID) bool { return r.erased[id] }

// LeadGone is the refusal of a lead that was erased.
func LeadGone(id LeadID) *Error { return Refuse(CodeLeadErased, "lead %d was erased", id) }
