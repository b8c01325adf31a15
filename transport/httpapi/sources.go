package httpapi

import (
	"net/http"

	"minicrm/domain"
)

// countedSource is a source and how many of its contacts wait.
type countedSource struct {
	domain.Source
	waiting int
}

func viewSource(s countedSource) Source {
	return Source{
		ID: ID(s.ID), Name: s.Name, Backlog: s.Backlog.Name(), BacklogLimit: s.BacklogLimit, StickyWindow: s.StickyWindow,
		Waiting: s.waiting, CreatedAt: moment(s.CreatedAt),
	}
}

// counted counts what waits in a source that a command answered.
func (a *api) counted(s domain.Source) (c countedSource) {
	a.dispatcher.View(func(cat *domain.Catalog) { c = countedSource{s, cat.Waiting(s.ID)} })
	return c
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
	var body NewSource
	if err := r.decode(&body); err != nil {
		return answer{}, err
	}
	n := domain.NewSource{
		Name:    required(r, "name", body.Name),
		Backlog: policy(optional(r, "backlog", body.Backlog, domain.BacklogAuto.Name())),

		BacklogLimit: optional(r, "backlog_limit", body.BacklogLimit, 0),
		StickyWindow: optional(r, "sticky_window", body.StickyWindow, 0),
	}
	if err := r.check(n.Validate()); err != nil {
		return answer{}, err
	}
	s, err := a.dispatcher.CreateSource(r.context(), n, a.stamp(r))
	if err != nil {
		return answer{}, err
	}
	return created("/v1/sources/", s.ID, viewSource(a.counted(s)))
}

func (a *api) changeSource(r *request) (answer, error) {
	var body SourcePatch
	if err := r.decode(&body); err != nil {
		return answer{}, err
	}
	id := domain.SourceID(r.pathID("id"))
	p := domain.SourcePatch{
		Name:         patched(r, "name", body.Name),
		BacklogLimit: patched(r, "backlog_limit", body.BacklogLimit),
		StickyWindow: patched(r, "sticky_window", body.StickyWindow),
	}
	if name := patched(r, "backlog", body.Backlog); name != nil {
		p.Backlog = new(policy(*name))
	}
	if err := r.check(p.Validate()); err != nil {
		return answer{}, err
	}
	s, err := a.dispatcher.ChangeSource(r.context(), id, p, a.stamp(r))
	if err != nil {
		return answer{}, err
	}
	return ok(viewSource(a.counted(s)))
}

func (a *api) deleteSource(r *request) (answer, error) {
	id, err := onlyID[domain.SourceID](r)
	if err != nil {
		return answer{}, err
	}
	if err := a.dispatcher.DeleteSource(r.context(), id, a.stamp(r)); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusNoContent}, nil
}

func (a *api) getSource(r *request) (answer, error) {
	id, err := onlyID[domain.SourceID](r)
	if err != nil {
		return answer{}, err
	}
	var s countedSource
	a.dispatcher.View(func(c *domain.Catalog) {
		s.Source, err = c.FindSource(id)
		s.waiting = c.Waiting(id)
	})
	if err != nil {
		return answer{}, err
	}
	return ok(viewSource(s))
}

func (a *api) listSources(r *request) (answer, error) {
	after, limit := r.page()
	if err := r.check(nil); err != nil {
		return answer{}, err
	}
	var items []countedSource
	var next uint64
	a.dispatcher.View(func(c *domain.Catalog) {
		var found []domain.Source
		found, next = c.Sources(after, limit)
		for _, s := range found {
			items = append(items, countedSource{s, c.Waiting(s.ID)})
		}
	})
	return ok(SourceList{Items: each(items, viewSource), Next: cursor(next)})
}
