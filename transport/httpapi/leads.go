package httpapi

import "minicrm/domain"

func viewLead(l domain.Lead) Lead {
	return Lead{ID: ID(l.ID), Email: l.Email, Name: l.Name, Phone: l.Phone, CreatedAt: moment(l.CreatedAt)}
}

func (a *api) createLead(r *request) (answer, error) {
	var body NewLead
	if err := r.decode(&body); err != nil {
		return answer{}, err
	}
	n := domain.NewLead{
		Email: requiredEmail(r, "email", body.Email),
		Name:  optional(r, "name", body.Name, ""),
		Phone: optional(r, "phone", body.Phone, ""),
	}
	if err := r.check(n.Validate()); err != nil {
		return answer{}, err
	}
	l, err := a.dispatcher.CreateLead(r.context(), n, a.stamp(r))
	if err != nil {
		return answer{}, err
	}
	return created("/v1/leads/", l.ID, viewLead(l))
}

// changeLead changes anything but the email: it is what makes a lead that lead.
func (a *api) changeLead(r *request) (answer, error) {
	var body LeadPatch
	if err := r.decode(&body); err != nil {
		return answer{}, err
	}
	id := domain.LeadID(r.pathID("id"))
	p := domain.LeadPatch{
		Name:  patched(r, "name", body.Name),
		Phone: patched(r, "phone", body.Phone),
	}
	if err := r.check(p.Validate()); err != nil {
		return answer{}, err
	}
	l, err := a.dispatcher.ChangeLead(r.context(), id, p, a.stamp(r))
	if err != nil {
		return answer{}, err
	}
	return ok(viewLead(l))
}

func (a *api) getLead(r *request) (answer, error) {
	id, err := onlyID[domain.LeadID](r)
	if err != nil {
		return answer{}, err
	}
	l, err := a.lead(id)
	if err != nil {
		return answer{}, err
	}
	return ok(viewLead(l))
}

// lead looks a lead up.
func (a *api) lead(id domain.LeadID) (l domain.Lead, err error) {
	a.dispatcher.View(func(c *domain.Catalog) { l, err = c.FindLead(id) })
	return l, err
}

// leadContacts lists the contacts of a lead.
func (a *api) leadContacts(r *request) (answer, error) {
	id := domain.LeadID(r.pathID("id"))
	ans, err := a.contactsOf(r, id)
	if err != nil {
		return answer{}, err
	}
	if _, err := a.lead(id); err != nil {
		return answer{}, err
	}
	return ans, nil
}

// listLeads lists all leads, or the one that has an email.
func (a *api) listLeads(r *request) (answer, error) {
	email := r.queryEmail()
	after, limit := r.page()
	if email != "" && after != 0 {
		r.note("after", "cannot be combined with email: that list has one page")
	}
	if err := r.check(nil); err != nil {
		return answer{}, err
	}
	var items []domain.Lead
	var next uint64
	a.dispatcher.View(func(c *domain.Catalog) {
		if email == "" {
			items, next = c.Leads(after, limit)
		} else if l, known := c.LeadByEmail(email); known {
			items = []domain.Lead{l}
		}
	})
	return ok(LeadList{Items: each(items, viewLead), Next: cursor(next)})
}
