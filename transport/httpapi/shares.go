package httpapi

import (
	"strings"
	"time"

	"minicrm/domain"
)

// Who got how much of a source's contacts. Weights promise a share of the decisions in which an operator was eligible,
// and that is eligible_share. raw_share is what it got of everything: when nearly everybody is full, often one operator
// alone is eligible, so shares then follow who frees seats, and raw_share may be far from target_share.

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

func viewShares(id domain.SourceID, s *domain.Shares) Shares {
	v := Shares{
		SourceID: ID(id), Since: orNull(moment(s.Since)), Complete: s.Complete, Decisions: s.Decisions, Manual: s.Manual,
		Items: make([]Share, len(s.Rows)),
	}
	for i := range s.Rows {
		v.Items[i] = viewShare(&s.Rows[i], s.Decisions+s.Manual)
	}
	return v
}

func viewShare(s *domain.Share, all int) Share {
	decided := s.Automatic + s.Sticky
	return Share{
		OperatorID: ID(s.Operator), Weight: s.Weight, TargetShare: s.Target(s.Weights),
		Received:          Received{Automatic: Count(s.Automatic), Sticky: Count(s.Sticky), Manual: Count(s.Manual)},
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
func ratio(part, whole int) nullable[float64] {
	if whole == 0 {
		return nullable[float64]{}
	}
	return nullable[float64]{float64(part) / float64(whole), true}
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
