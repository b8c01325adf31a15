package httpapi

import (
	"strconv"

	"minicrm/domain"
)

// Why an operator got a contact, and who would be next.

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

func viewDecision(d *domain.Decision) Decision {
	v := Decision{
		ContactID: ID(d.Contact), OperatorID: ID(d.Operator), DecidedAt: moment(d.At), Rule: string(d.Rule), Charged: d.Charged,
		Eligible: make([]Candidate, len(d.Eligible)), Excluded: make([]Excluded, len(d.Excluded)),
	}
	for i, e := range d.Eligible {
		v.Eligible[i] = Candidate{
			OperatorID: ID(e.Operator), Weight: e.Weight, LagBefore: inContacts(e.Lag), LagAfter: inContacts(e.LagNow),
		}
	}
	for i, e := range d.Excluded {
		v.Excluded[i] = Excluded{OperatorID: ID(e.Operator), Reason: e.Reason}
	}
	return v
}

// inContacts is what the ledger counts in 1/One.
func inContacts(lag int64) float64 { return float64(lag) / domain.One }

const defaultPreview = 10

// preview says who would get the next contacts if nothing else changed. It decides on a copy, without the lock.
func (a *api) preview(r *request) (answer, error) {
	var body PreviewRequest
	if err := r.decodeIfGiven(&body); err != nil {
		return answer{}, err
	}
	id := domain.SourceID(r.pathID("id"))
	n := optional(r, "n", body.N, defaultPreview)
	if body.N.wrong == nil && (n < 1 || n > maxPreview) {
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
	nobodyIsNull := func(o domain.OperatorID) nullable[ID] { return orNull(ID(o)) }
	return ok(Preview{Items: each(p.Next(n), nobodyIsNull)})
}
