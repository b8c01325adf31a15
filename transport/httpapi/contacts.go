package httpapi

import (
	"errors"
	"net/http"

	"minicrm/domain"
)

// createContact is the call that everything else is for, and the hot one.
func (a *api) createContact(r *request) (answer, error) {
	n, err := r.readSingle()
	if err != nil {
		return answer{}, err
	}
	if err := r.allow(n.Source); err != nil {
		return answer{}, err
	}
	c, replayed, err := a.dispatcher.CreateContact(r.context(), n, a.stamp(r))
	if err != nil {
		return answer{}, err
	}
	ans, err := created("/v1/contacts/", c.ID, viewContact(c))
	if replayed {
		ans.status, ans.replayed = http.StatusOK, true
	}
	return ans, err
}

const (
	headerKey      = "Idempotency-Key"
	headerReplayed = "Idempotent-Replayed"
)

// key reads the request's idempotency key; "" = it has none, or a bad one, which is noted.
func (r *request) key() string {
	values, given := r.c.Request.Header[headerKey]
	if !given {
		return ""
	}
	if len(values) > 1 {
		r.note(headerKey, "must be given once")
		return ""
	}
	return r.checkedKey(headerKey, values[0])
}

// checkedKey is a key, or "" when it is a bad one, which is noted.
func (r *request) checkedKey(field, key string) string {
	refusal, bad := errors.AsType[*domain.Error](domain.ValidateKey(key))
	if !bad {
		return key
	}
	r.note(field, refusal.Fields[0].Message)
	return ""
}

func (a *api) assignContact(r *request) (answer, error) {
	var body Assignment
	if err := r.decode(&body); err != nil {
		return answer{}, err
	}
	id := domain.ContactID(r.pathID("id"))
	operator := domain.OperatorID(requiredID(r, "operator_id", body.OperatorID))
	force := optional(r, "force", body.Force, false)
	if err := r.check(nil); err != nil {
		return answer{}, err
	}
	c, err := a.dispatcher.AssignContact(r.context(), id, operator, force, a.stamp(r))
	if err != nil {
		return answer{}, err
	}
	return ok(viewContact(c))
}

func (a *api) getContact(r *request) (answer, error) {
	id, err := onlyID[domain.ContactID](r)
	if err != nil {
		return answer{}, err
	}
	c, err := a.visible(r, id)
	if err != nil {
		return answer{}, err
	}
	return ok(viewContact(c))
}

func (a *api) listContacts(r *request) (answer, error) {
	return a.contactsOf(r, domain.LeadID(r.queryID("lead_id")))
}

// contactsOf lists contacts, of a lead or of all (0).
func (a *api) contactsOf(r *request, lead domain.LeadID) (answer, error) {
	after, limit := r.page()
	filter := domain.ContactFilter{
		Status:   r.queryStatus(),
		Source:   domain.SourceID(r.queryID("source_id")),
		Operator: domain.OperatorID(r.queryID("operator_id")),
		Lead:     lead,
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
	return ok(ContactList{Items: each(items, viewContact), Next: cursor(next)})
}
