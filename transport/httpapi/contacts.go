package httpapi

import "minicrm/domain"

type contactBody struct {
	SourceID member[int64]  `json:"source_id"`
	Email    member[string] `json:"email"`
	Name     member[string] `json:"name"`
	Phone    member[string] `json:"phone"`
	Text     member[string] `json:"text"`
}

type assignBody struct {
	OperatorID member[int64] `json:"operator_id"`
	Force      member[bool]  `json:"force"`
}

type contactView struct {
	ID         domain.ContactID   `json:"id"`
	SourceID   domain.SourceID    `json:"source_id"`
	LeadID     domain.LeadID      `json:"lead_id"`
	OperatorID *domain.OperatorID `json:"operator_id"`
	Status     string             `json:"status"`
	How        *string            `json:"how"`
	Text       string             `json:"text"`
	CreatedAt  moment             `json:"created_at"`
	AssignedAt *moment            `json:"assigned_at"`
	ClosedAt   *moment            `json:"closed_at"`
}

func viewContact(c domain.Contact) *contactView {
	return &contactView{
		ID:         c.ID,
		SourceID:   c.Source,
		LeadID:     c.Lead,
		OperatorID: orNull(c.Operator),
		Status:     c.Status.Name(),
		How:        orNull(c.How.Name()),
		Text:       c.Text,
		CreatedAt:  moment(c.CreatedAt),
		AssignedAt: orNull(moment(c.AssignedAt)),
		ClosedAt:   orNull(moment(c.ClosedAt)),
	}
}

// createContact is the call that everything else is for, and the hot one.
func (a *api) createContact(r *request) (answer, error) {
	var body contactBody
	if err := r.decode(&body); err != nil {
		return answer{}, err
	}
	n := domain.NewContact{
		Source: domain.SourceID(requiredID(r, "source_id", body.SourceID)),
		Email:  requiredEmail(r, "email", body.Email),
		Name:   optional(r, "name", body.Name, ""),
		Phone:  optional(r, "phone", body.Phone, ""),
		Text:   optional(r, "text", body.Text, ""),
	}
	if err := r.check(n.Validate()); err != nil {
		return answer{}, err
	}
	if err := r.allow(n.Source); err != nil {
		return answer{}, err
	}
	c, err := a.dispatcher.CreateContact(r.context(), n, a.clock.Now())
	if err != nil {
		return answer{}, err
	}
	return created("/v1/contacts/", c.ID, viewContact(c))
}

func (a *api) assignContact(r *request) (answer, error) {
	var body assignBody
	if err := r.decode(&body); err != nil {
		return answer{}, err
	}
	id := domain.ContactID(r.pathID("id"))
	operator := domain.OperatorID(requiredID(r, "operator_id", body.OperatorID))
	force := optional(r, "force", body.Force, false)
	if err := r.check(nil); err != nil {
		return answer{}, err
	}
	c, err := a.dispatcher.AssignContact(r.context(), id, operator, force, a.clock.Now())
	if err != nil {
		return answer{}, err
	}
	return ok(viewContact(c))
}

func (a *api) closeContact(r *request) (answer, error) {
	if err := r.decodeNothing(); err != nil {
		return answer{}, err
	}
	id := domain.ContactID(r.pathID("id"))
	if err := r.check(nil); err != nil {
		return answer{}, err
	}
	if _, err := a.visible(r, id); err != nil && caller(r.c.Request).restricted() {
		return answer{}, err
	}
	c, err := a.dispatcher.CloseContact(r.context(), id, a.clock.Now())
	if err != nil {
		return answer{}, err
	}
	return ok(viewContact(c))
}

func (a *api) getContact(r *request) (answer, error) {
	id := domain.ContactID(r.pathID("id"))
	if err := r.check(nil); err != nil {
		return answer{}, err
	}
	c, err := a.visible(r, id)
	if err != nil {
		return answer{}, err
	}
	return ok(viewContact(c))
}

func (a *api) listContacts(r *request) (answer, error) {
	after, limit := r.page()
	filter := domain.ContactFilter{
		Status:   r.queryStatus(),
		Source:   domain.SourceID(r.queryID("source_id")),
		Operator: domain.OperatorID(r.queryID("operator_id")),
		Lead:     domain.LeadID(r.queryID("lead_id")),
	}
	if err := r.check(nil); err != nil {
		return answer{}, err
	}
	if err := r.allowFilter(filter.Source); err != nil {
		return answer{}, err
	}
	var items []domain.Contact
	var next uint64
	a.dispatcher.View(func(c *domain.Catalog) { items, next = c.Contacts(filter, after, limit) })
	return list(items, next, viewContact)
}
