package httpapi

import (
	"net/http"

	"minicrm/domain"
)

type linkBody struct {
	Weight member[int64] `json:"weight"`
}

type linkView struct {
	SourceID    domain.SourceID   `json:"source_id"`
	OperatorID  domain.OperatorID `json:"operator_id"`
	Weight      int64             `json:"weight"`
	TargetShare float64           `json:"target_share"`
	Received    receivedView      `json:"received"`
	Lag         float64           `json:"lag"` // in contacts
	Eligible    bool              `json:"eligible"`
	Reason      *string           `json:"reason"`
}

func viewLink(l domain.LinkView) *linkView {
	return &linkView{
		SourceID:    l.Source,
		OperatorID:  l.Operator,
		Weight:      l.Weight,
		TargetShare: l.Target(l.Weights),
		Received:    receivedView{l.Received, l.Sticky, l.Manual},
		Lag:         inContacts(l.Lag),
		Eligible:    l.Reason == "",
		Reason:      orNull(l.Reason),
	}
}

func (a *api) setLink(r *request) (answer, error) {
	var body linkBody
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
	return list(items, next, viewLink)
}

func (r *request) pathLink() (domain.SourceID, domain.OperatorID) {
	return domain.SourceID(r.pathID("id")), domain.OperatorID(r.pathID("operator_id"))
}
