package httpapi

import (
	"strings"
	"time"

	"minicrm/domain"
)

// Who got how much of a source's contacts. Weights promise a share of the decisions in which an operator was eligible,
// and that is eligible_share. raw_share is what it got of everything: when nearly everybody is full, often one operator
// alone is eligible, so shares then follow who frees seats, and raw_share may be far from target_share.

type receivedView struct {
	Automatic uint64 `json:"automatic"`
	Sticky    uint64 `json:"sticky"`
	Manual    uint64 `json:"manual"`
}

type sharesView struct {
	SourceID  domain.SourceID `json:"source_id"`
	Since     *moment         `json:"since"`    // null = from the beginning
	Complete  bool            `json:"complete"` // false = nothing is known of what was before since, which was asked for
	Decisions int             `json:"decisions"`
	Manual    int             `json:"manual"`
	Items     []shareView     `json:"items"`
}

// shareView is what one operator got. A share of nothing is null.
type shareView struct {
	OperatorID        domain.OperatorID `json:"operator_id"`
	Weight            int64             `json:"weight"`
	TargetShare       float64           `json:"target_share"`
	Received          receivedView      `json:"received"`
	RawShare          *float64          `json:"raw_share"`
	Expected          float64           `json:"expected"` // contacts
	EligibleDecisions int               `json:"eligible_decisions"`
	EligibleShare     *float64          `json:"eligible_share"`
	Lag               float64           `json:"lag"` // in contacts, now
	Eligible          bool              `json:"eligible"`
	Reason            *string           `json:"reason"`
}

func (a *api) shares(r *request) (answer, error) {
	id := domain.SourceID(r.pathID("id"))
	since := r.queryTime("since")
	if err := r.check(nil); err != nil {
		return answer{}, err
	}
	var tally *domain.Tally
	var known bool
	a.dispatcher.View(func(c *domain.Catalog) { tally, known = c.Tally(id, since) })
	if !known {
		return answer{}, domain.SourceGone(id)
	}
	return ok(viewShares(id, tally.Count()))
}

func viewShares(id domain.SourceID, s *domain.Shares) *sharesView {
	v := &sharesView{
		SourceID: id, Since: orNull(moment(s.Since)), Complete: s.Complete, Decisions: s.Decisions, Manual: s.Manual,
		Items: make([]shareView, len(s.Rows)),
	}
	for i := range s.Rows {
		v.Items[i] = viewShare(&s.Rows[i], s.Decisions+s.Manual)
	}
	return v
}

func viewShare(s *domain.Share, all int) shareView {
	decided := s.Automatic + s.Sticky
	return shareView{
		OperatorID: s.Operator, Weight: s.Weight, TargetShare: s.Target(s.Weights),
		Received:          receivedView{uint64(s.Automatic), uint64(s.Sticky), uint64(s.Manual)},
		RawShare:          ratio(decided+s.Manual, all),
		Expected:          inContacts(s.Expected),
		EligibleDecisions: s.Eligible,
		EligibleShare:     ratio(decided, s.Eligible),
		Lag:               inContacts(s.Lag),
		Eligible:          s.Reason == "",
		Reason:            orNull(s.Reason),
	}
}

// ratio is part of whole, null when there is no whole.
func ratio(part, whole int) *float64 {
	if whole == 0 {
		return nil
	}
	return new(float64(part) / float64(whole))
}

// queryTime reads a moment; 0 = not given.
func (r *request) queryTime(name string) domain.Time {
	text, given := r.parameter(name)
	if !given {
		return 0
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil || at.Year() < 1970 || at.Year() > 9999 {
		wrong := "must be a time of RFC 3339 from 1970 on, like 2026-01-31T12:00:00Z"
		if strings.Contains(text, " ") {
			wrong += "; in a query, + is written %2B"
		}
		r.note(name, wrong)
		return 0
	}
	return domain.Time(at.UnixMicro())
}
