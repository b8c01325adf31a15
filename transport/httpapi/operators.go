package httpapi

import (
	"net/http"
	"slices"

	"minicrm/domain"
)

func viewOperator(o domain.Operator) Operator {
	return Operator{
		ID: ID(o.ID), Name: o.Name, Active: o.Active, State: o.State(), MaxLoad: o.MaxLoad, Load: o.Load,
		ExternalID: orNull(o.ExternalID), Username: orNull(o.Username), CreatedAt: moment(o.CreatedAt),
	}
}

func (a *api) createOperator(r *request) (answer, error) {
	var body NewOperator
	if err := r.decode(&body); err != nil {
		return answer{}, err
	}
	n := domain.NewOperator{
		Name:    required(r, "name", body.Name),
		Active:  optional(r, "active", body.Active, true),
		MaxLoad: optional(r, "max_load", body.MaxLoad, domain.DefaultMaxLoad),

		ExternalID: optional(r, "external_id", body.ExternalID, ""),
		Username:   optional(r, "username", body.Username, ""),
	}
	if err := r.check(n.Validate()); err != nil {
		return answer{}, err
	}
	o, err := a.dispatcher.CreateOperator(r.context(), n, a.stamp(r))
	if err != nil {
		return answer{}, err
	}
	return created("/v1/operators/", o.ID, viewOperator(o))
}

func (a *api) changeOperator(r *request) (answer, error) {
	var body OperatorPatch
	if err := r.decode(&body); err != nil {
		return answer{}, err
	}
	id := domain.OperatorID(r.pathID("id"))
	p := domain.OperatorPatch{
		Name:    patched(r, "name", body.Name),
		Active:  patched(r, "active", body.Active),
		MaxLoad: patched(r, "max_load", body.MaxLoad),

		ExternalID: patched(r, "external_id", body.ExternalID),
		Username:   patched(r, "username", body.Username),
	}
	if state := patched(r, "state", body.State); state != nil {
		r.patchState(&p, *state)
	}
	if err := r.check(p.Validate()); err != nil {
		return answer{}, err
	}
	o, err := a.dispatcher.ChangeOperator(r.context(), id, p, a.stamp(r))
	if err != nil {
		return answer{}, err
	}
	return ok(viewOperator(o))
}

// patchState puts a state into a patch. The switch active may be given along, but must say the same.
func (r *request) patchState(p *domain.OperatorPatch, state string) {
	if !slices.Contains([]string{"active", "draining", "inactive"}, state) {
		if !r.noted("state") {
			r.note("state", `must be "active", "draining" or "inactive"`)
		}
		return
	}
	active := state == "active"
	if p.Active != nil && *p.Active != active && !r.noted("active") {
		r.note("state", "contradicts active")
	}
	if state == "draining" {
		p.Active, p.Draining = nil, new(true)
		return
	}
	p.Active = &active
}

func (a *api) deleteOperator(r *request) (answer, error) {
	id, err := onlyID[domain.OperatorID](r)
	if err != nil {
		return answer{}, err
	}
	if err := a.dispatcher.DeleteOperator(r.context(), id, a.stamp(r)); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusNoContent}, nil
}

func (a *api) getOperator(r *request) (answer, error) {
	id, err := onlyID[domain.OperatorID](r)
	if err != nil {
		return answer{}, err
	}
	o, err := a.operator(id)
	if err != nil {
		return answer{}, err
	}
	return ok(viewOperator(o))
}

// operator looks an operator up.
func (a *api) operator(id domain.OperatorID) (o domain.Operator, err error) {
	a.dispatcher.View(func(c *domain.Catalog) { o, err = c.FindOperator(id) })
	return o, err
}

func (a *api) listOperators(r *request) (answer, error) {
	after, limit := r.page()
	if err := r.check(nil); err != nil {
		return answer{}, err
	}
	var items []domain.Operator
	var next uint64
	a.dispatcher.View(func(c *domain.Catalog) { items, next = c.Operators(after, limit) })
	return ok(OperatorList{Items: each(items, viewOperator), Next: cursor(next)})
}
