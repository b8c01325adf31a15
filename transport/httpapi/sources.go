package httpapi

import "minicrm/domain"

type sourceBody struct {
	Name    member[string] `json:"name"`
	Backlog member[string] `json:"backlog"`
}

type sourceView struct {
	ID        domain.SourceID `json:"id"`
	Name      string          `json:"name"`
	Backlog   string          `json:"backlog"`
	CreatedAt moment          `json:"created_at"`
}

func viewSource(s domain.Source) *sourceView {
	return &sourceView{ID: s.ID, Name: s.Name, Backlog: s.Backlog.Name(), CreatedAt: moment(s.CreatedAt)}
}

// policy is the policy of this name; 0, which the domain refuses, when there is none.
func policy(name string) domain.BacklogPolicy {
	for _, p := range []domain.BacklogPolicy{domain.BacklogAuto, domain.BacklogManual} {
		if p.Name() == name {
			return p
		}
	}
	return 0
}

func (a *api) createSource(r *request) (answer, error) {
	var body sourceBody
	if err := r.decode(&body); err != nil {
		return answer{}, err
	}
	n := domain.NewSource{
		Name:    required(r, "name", body.Name),
		Backlog: policy(optional(r, "backlog", body.Backlog, domain.BacklogAuto.Name())),
	}
	if err := r.check(n.Validate()); err != nil {
		return answer{}, err
	}
	s, err := a.dispatcher.CreateSource(r.context(), n, a.clock.Now())
	if err != nil {
		return answer{}, err
	}
	return created("/v1/sources/", s.ID, viewSource(s))
}

func (a *api) changeSource(r *request) (answer, error) {
	var body sourceBody
	if err := r.decode(&body); err != nil {
		return answer{}, err
	}
	id := domain.SourceID(r.pathID("id"))
	p := domain.SourcePatch{Name: patched(r, "name", body.Name)}
	if name := patched(r, "backlog", body.Backlog); name != nil {
		p.Backlog = new(policy(*name))
	}
	if err := r.check(p.Validate()); err != nil {
		return answer{}, err
	}
	s, err := a.dispatcher.ChangeSource(r.context(), id, p, a.clock.Now())
	if err != nil {
		return answer{}, err
	}
	return ok(viewSource(s))
}

func (a *api) getSource(r *request) (answer, error) {
	id := domain.SourceID(r.pathID("id"))
	if err := r.check(nil); err != nil {
		return answer{}, err
	}
	var s domain.Source
	var known bool
	a.dispatcher.View(func(c *domain.Catalog) { s, known = c.Source(id) })
	if !known {
		return answer{}, noSource(id)
	}
	return ok(viewSource(s))
}

func (a *api) listSources(r *request) (answer, error) {
	after, limit := r.page()
	if err := r.check(nil); err != nil {
		return answer{}, err
	}
	var items []domain.Source
	var next uint64
	a.dispatcher.View(func(c *domain.Catalog) { items, next = c.Sources(after, limit) })
	return list(items, next, viewSource)
}

func noSource(id domain.SourceID) error {
	return domain.Refuse(domain.CodeSourceNotFound, "there is no source %d", id)
}
