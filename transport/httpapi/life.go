package httpapi

import (
	"context"

	"minicrm/domain"
)

// What is done to a contact after it arrived, and what was done to it.

func (a *api) closeContact(r *request) (answer, error) {
	var body Closing
	if err := r.decodeIfGiven(&body); err != nil {
		return answer{}, err
	}
	id := domain.ContactID(r.pathID("id"))
	reason := optional(r, "reason", body.Reason, "")
	if err := r.check(domain.ValidateReason(reason)); err != nil {
		return answer{}, err
	}
	if caller(r.c.Request).restricted() {
		if _, err := a.visible(r, id); err != nil {
			return answer{}, err
		}
	}
	c, err := a.dispatcher.CloseContact(r.context(), id, reason, a.stamp(r))
	if err != nil {
		return answer{}, err
	}
	return ok(viewContact(c))
}

func (a *api) releaseContact(r *request) (answer, error) {
	return a.onContact(r, a.dispatcher.ReleaseContact)
}

func (a *api) reopenContact(r *request) (answer, error) {
	return a.onContact(r, a.dispatcher.ReopenContact)
}

// onContact is a command that needs nothing but the contact.
func (a *api) onContact(
	r *request, command func(context.Context, domain.ContactID, domain.Stamp) (domain.Contact, error),
) (answer, error) {
	id, err := onlyID[domain.ContactID](r)
	if err != nil {
		return answer{}, err
	}
	c, err := command(r.context(), id, a.stamp(r))
	if err != nil {
		return answer{}, err
	}
	return ok(viewContact(c))
}

// changeContact changes the one thing of a contact that can be: its priority.
func (a *api) changeContact(r *request) (answer, error) {
	var body ContactPatch
	if err := r.decode(&body); err != nil {
		return answer{}, err
	}
	id := domain.ContactID(r.pathID("id"))
	priority := required(r, "priority", body.Priority)
	if err := r.check(domain.ValidatePriority(int64(priority))); err != nil {
		return answer{}, err
	}
	c, err := a.dispatcher.PrioritiseContact(r.context(), id, uint8(priority), a.stamp(r))
	if err != nil {
		return answer{}, err
	}
	return ok(viewContact(c))
}

// history lists all steps of a contact's life; it has one page.
func (a *api) history(r *request) (answer, error) {
	id, err := onlyID[domain.ContactID](r)
	if err != nil {
		return answer{}, err
	}
	contact, err := a.visible(r, id)
	if err != nil {
		return answer{}, err
	}
	var items []Step
	a.dispatcher.View(func(c *domain.Catalog) { // for the names
		for _, s := range contact.History() {
			items = append(items, viewStep(s, c.NameOf(s.By)))
		}
	})
	return ok(History{Items: items})
}

func viewStep(s domain.Step, by string) Step {
	return Step{
		At: moment(s.At), What: s.Kind.Name(), By: orNull(by), From: orNull(ID(s.From)), To: orNull(ID(s.To)),
		How: orNull(s.How.Name()), Reason: orNull(s.Reason),
	}
}

// releaseAll sends all contacts of an operator back for dispatch. It takes as many places as they are.
func (a *api) releaseAll(r *request) (answer, error) {
	id, err := onlyID[domain.OperatorID](r)
	if err != nil {
		return answer{}, err
	}
	o, err := a.operator(id)
	if err != nil {
		return answer{}, err
	}
	if more := a.places.batch(o.Load) - 1; more > 0 { // one is taken already
		if err := a.enter(more); err != nil {
			return answer{}, err
		}
		defer a.places.leave(more)
	}
	all, err := a.dispatcher.ReleaseAll(r.context(), id, a.stamp(r))
	if err != nil {
		return answer{}, err
	}
	return ok(Released(all))
}
