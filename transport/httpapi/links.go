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
	TargetShare float64           `json:"target_share"` // of the source's contacts while all its links are eligible
	Received    uint64            `json:"received"`
	Lag         float64           `json:"lag"` // in contacts
	Eligible    bool              `json:"eligible"`
	Reason      string            `json:"reason,omitempty"`
}

func viewLink(l domain.LinkView) *linkView {
	v := &linkView{
		SourceID:   l.Source,
		OperatorID: l.Operator,
		Weight:     l.Weight,
		Received:   l.Received,
		Lag:        float64(l.Lag) / domain.One,
		Eligible:   l.Reason == "",
		Reason:     l.Reason,
	}
	if l.Weights != 0 {
		v.TargetShare = float64(l.Weight) / float64(l.Weights)
	}
	return v
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
	l, err := a.dispatcher.SetLink(r.context(), source, operator, weight, a.clock.Now())
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
	if err := a.dispatcher.RemoveLink(r.context(), source, operator, a.clock.Now()); err != nil {
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
	var known bool
	var items []domain.LinkView
	var next uint64
	a.dispatcher.View(func(c *domain.Catalog) {
		_, known = c.Source(source)
		items, next = c.Links(source, after, limit)
	})
	if !known {
		return answer{}, noSource(source)
	}
	return list(items, next, viewLink)
}

func (r *request) pathLink() (domain.SourceID, domain.OperatorID) {
	return domain.SourceID(r.pathID("id")), domain.OperatorID(r.pathID("operator_id"))
}
