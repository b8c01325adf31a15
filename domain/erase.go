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
	for contact := range c.contactsOf(id) {
		if contact.Status != StatusClosed {
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
	c.forgetTexts(e.ID)
	c.byEmail.remove(lead.Email)
	c.writeLead(e.ID, "", "", "")
	c.leads.pack(int64(e.ID-1) / pageSize) // also without names that it had before
	return nil
}

// forgetTexts forgets what was written in a lead's contacts. Each of their pages is packed once: a second time there is
// nothing dead in it.
func (c *Catalog) forgetTexts(lead LeadID) {
	for found := range c.contactsOf(lead) {
		contact := c.contacts.edit(int64(found.ID))
		words := contact.size()
		contact.textLength, contact.reasonLength = 0, 0
		c.contacts.discard(int64(contact.ID), words)
		c.forgetPast(contact.ID)
	}
	for contact := range c.contactsOf(lead) {
		c.contacts.pack(int64(contact.ID) / pageSize)
	}
}

// forgetPast forgets the reasons that a contact was closed for before.
func (c *Catalog) forgetPast(id ContactID) {
	past := c.past(id)
	if past == nil {
		return
	}
	steps := slices.Clone(*past) // a frozen view may read the old ones
	for i := range steps {
		steps[i].Reason = ""
	}
	*c.pasts.edit(int64(id)) = &steps
}

// Erase forgets a lead: its email is free from now on.
func (r *Registry) Erase(l Lead) {
	r.byEmail.remove(l.Email)
	r.erased[l.ID] = true
	r.Note(l.ID, new(string), new(string))
}

// Erased says that a lead was erased.
func (r *Registry) Erased(id LeadID) bool { return r.erased[id] }

// LeadGone is the refusal of a lead that was erased.
func LeadGone(id LeadID) *Error { return Refuse(CodeLeadErased, "lead %d was erased", id) }
