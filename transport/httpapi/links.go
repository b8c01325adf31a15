package httpapi

import (
	"net/http"

	"minicrm/domain"
)

func viewLink(l domain.LinkView) Link {
	return Link{
		SourceID:    ID(l.Source),
		OperatorID:  ID(l.Operator),
		Weight:      l.Weight,
		TargetShare: l.Target(l.Weights),
		Received:    Received{Automatic: Count(l.Received), Sticky: Count(l.Sticky), Manual: Count(l.Manual)},
		Lag:         inContacts(l.Lag),
		Eligible:    l.Reason == "",
		Reason:      orNull(l.Reason),
	}
}

func (a *api) setLink(r *request) (answer, error) {
	var body Weight
	if err := r.decode(&body); err != nil {
		return answer{}, err
	}
	source, operator := r.pathLink()
	weight := required(r, "weight", body.Weight)
	if err := r.check(domain.ValidateWeight(weight)); err != nil {
		return answer{}, err
	}
	l, err := a.dispatcher.SetLink(r.context(), source, operator, weight, a.stamp(r))
	if err != nil {
		return answer{}, err
	}
	return ok(viewLink(l))
}

func (a *api) removeLink(r *request) (answer, error) {
	if err := r.decodeNothing(); err != nil {
		return answer{}, err
	}
	source, operator := r.pathLink()
	if err := r.check(nil); err != nil {
		return answer{}, err
	}
	if err := a.dispatcher.RemoveLink(r.context(), source, operator, a.stamp(r)); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusNoContent}, nil
}

func (a *api) listLinks(r *request) (answer, error) {
	source := domain.SourceID(r.pathID("id"))
	after, limit := r.page()
	if err := r.check(nil); err != nil {
		return answer{}, err
	}
	var err error
	var items []domain.LinkView
	var next uint64
	a.dispatcher.View(func(c *domain.Catalog) {
		_, err = c.FindSource(source)
		items, next = c.Links(source, after, limit)
	})
	if err != nil {
		return answer{}, err
	}
	return ok(LinkList{Items: each(items, viewLink), Next: cursor(next)})
}

func (r *request) pathLink() (domain.SourceID, domain.OperatorID) {
	return domain.SourceID(r.pathID("id")), domain.OperatorID(r.pathID("operator_id"))
}
