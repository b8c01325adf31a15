package httpapi

import (
	"strconv"

	"minicrm/domain"
)

// Why an operator got a contact, and who would be next.

type decisionView struct {
	ContactID  domain.ContactID  `json:"contact_id"`
	OperatorID domain.OperatorID `json:"operator_id"`
	DecidedAt  moment            `json:"decided_at"`
	Rule       domain.Rule       `json:"rule"`
	Charged    bool              `json:"charged"`
	Eligible   []candidateView   `json:"eligible"`
	Excluded   []excludedView    `json:"excluded"`
}

type candidateView struct {
	OperatorID domain.OperatorID `json:"operator_id"`
	Weight     int64             `json:"weight"`
	LagBefore  float64           `json:"lag_before"` // in contacts
	LagAfter   float64           `json:"lag_after"`
}

type excludedView struct {
	OperatorID domain.OperatorID `json:"operator_id"`
	Reason     string            `json:"reason"`
}

func (a *api) decision(r *request) (answer, error) {
	id, err := onlyID[domain.ContactID](r)
	if err != nil {
		return answer{}, err
	}
	if _, err := a.visible(r, id); err != nil {
		return answer{}, err
	}
	var d *domain.Decision
	a.dispatcher.View(func(c *domain.Catalog) { d, err = c.Decision(id) })
	if err != nil {
		return answer{}, err
	}
	return ok(viewDecision(d))
}

func viewDecision(d *domain.Decision) *decisionView {
	v := &decisionView{
		ContactID: d.Contact, OperatorID: d.Operator, DecidedAt: moment(d.At), Rule: d.Rule, Charged: d.Charged,
		Eligible: make([]candidateView, len(d.Eligible)), Excluded: make([]excludedView, len(d.Excluded)),
	}
	for i, e := range d.Eligible {
		v.Eligible[i] = candidateView{e.Operator, e.Weight, inContacts(e.Lag), inContacts(e.LagNow)}
	}
	for i, e := range d.Excluded {
		v.Excluded[i] = excludedView{e.Operator, e.Reason}
	}
	return v
}

// inContacts is what the ledger counts in 1/One.
func inContacts(lag int64) float64 { return float64(lag) / domain.One }

type previewBody struct {
	N member[int64] `json:"n"`
}

// previewView lists who would get each of the next contacts; null = nobody, it would wait.
type previewView struct {
	Items []*domain.OperatorID `json:"items"`
}

const defaultPreview = 10

// preview says who would get the next contacts if nothing else changed. It decides on a copy, without the lock.
func (a *api) preview(r *request) (answer, error) {
	var body previewBody
	if err := r.decodeIfGiven(&body); err != nil {
		return answer{}, err
	}
	id := domain.SourceID(r.pathID("id"))
	n := optional(r, "n", body.N, defaultPreview)
	if body.N.wrong == "" && (n < 1 || n > maxPreview) {
		r.note("n", "must be an integer from 1 to "+strconv.Itoa(maxPreview))
	}
	if err := r.check(nil); err != nil {
		return answer{}, err
	}
	var p *domain.Preview
	var known bool
	a.dispatcher.View(func(c *domain.Catalog) { p, known = c.Preview(id) })
	if !known {
		return answer{}, domain.SourceGone(id)
	}
	next := p.Next(int(n))
	v := &previewView{Items: make([]*domain.OperatorID, len(next))}
	for i, op := range next {
		v.Items[i] = orNull(op)
	}
	return ok(v)
}
