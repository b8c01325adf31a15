package httpapi

import "minicrm/domain"

type operatorBody struct {
	Name    member[string] `json:"name"`
	Active  member[bool]   `json:"active"`
	MaxLoad member[int64]  `json:"max_load"`
}

type operatorView struct {
	ID        domain.OperatorID `json:"id"`
	Name      string            `json:"name"`
	Active    bool              `json:"active"`
	MaxLoad   int               `json:"max_load"`
	Load      int               `json:"load"`
	CreatedAt moment            `json:"created_at"`
}

func viewOperator(o domain.Operator) *operatorView {
	return &operatorView{ID: o.ID, Name: o.Name, Active: o.Active, MaxLoad: o.MaxLoad, Load: o.Load, CreatedAt: moment(o.CreatedAt)}
}

func (a *api) createOperator(r *request) (answer, error) {
	var body operatorBody
	if err := r.decode(&body); err != nil {
		return answer{}, err
	}
	n := domain.NewOperator{
		Name:    required(r, "name", body.Name),
		Active:  optional(r, "active", body.Active, true),
		MaxLoad: int(optional(r, "max_load", body.MaxLoad, domain.DefaultMaxLoad)),
	}
	if err := r.check(n.Validate()); err != nil {
		return answer{}, err
	}
	o, err := a.dispatcher.CreateOperator(r.context(), n, a.clock.Now())
	if err != nil {
		return answer{}, err
	}
	return created("/v1/operators/", o.ID, viewOperator(o))
}

func (a *api) changeOperator(r *request) (answer, error) {
	var body operatorBody
	if err := r.decode(&body); err != nil {
		return answer{}, err
	}
	id := domain.OperatorID(r.pathID("id"))
	p := domain.OperatorPatch{
		Name:   patched(r, "name", body.Name),
		Active: patched(r, "active", body.Active),
	}
	if load := patched(r, "max_load", body.MaxLoad); load != nil {
		p.MaxLoad = new(int(*load))
	}
	if err := r.check(p.Validate()); err != nil {
		return answer{}, err
	}
	o, err := a.dispatcher.ChangeOperator(r.context(), id, p, a.clock.Now())
	if err != nil {
		return answer{}, err
	}
	return ok(viewOperator(o))
}

func (a *api) getOperator(r *request) (answer, error) {
	id := domain.OperatorID(r.pathID("id"))
	if err := r.check(nil); err != nil {
		return answer{}, err
	}
	var o domain.Operator
	var known bool
	a.dispatcher.View(func(c *domain.Catalog) { o, known = c.Operator(id) })
	if !known {
		return answer{}, domain.Refuse(domain.CodeOperatorNotFound, "there is no operator %d", id)
	}
	return ok(viewOperator(o))
}

func (a *api) listOperators(r *request) (answer, error) {
	after, limit := r.page()
	if err := r.check(nil); err != nil {
		return answer{}, err
	}
	var items []domain.Operator
	var next uint64
	a.dispatcher.View(func(c *domain.Catalog) { items, next = c.Operators(after, limit) })
	return list(items, next, viewOperator)
}
