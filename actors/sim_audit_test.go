package actors

import (
	"fmt"
	"math"

	"minicrm/domain"
)

// auditor is domain's auditor of the journal's records, and of what only the simulation can know: the order in time.
type auditor struct {
	*domain.Auditor
	seen    int
	stamps  map[domain.Event]stamp
	since   map[domain.ContactID]int // when the record that opened it was sent
	autoFor map[domain.SourceID]int  // when the record that set its policy was sent
}

func newAuditor(stamps map[domain.Event]stamp) *auditor {
	return &auditor{
		Auditor: domain.NewAuditor(domain.NewCatalog()),
		stamps:  stamps,
		since:   map[domain.ContactID]int{},
		autoFor: map[domain.SourceID]int{},
	}
}

// audit goes on where it stopped: a journal only grows.
func (a *auditor) audit(records []domain.Record) error {
	for ; a.seen < len(records); a.seen++ {
		r := records[a.seen]
		stamp, ok := a.stamps[r.Events[0]]
		if !ok { // decided at the start, alone
			stamp.locked = math.MaxInt
		}
		var rank domain.Rank // of the contact that the record brings
		for _, event := range r.Events {
			switch e := event.(type) {
			case *domain.SourceCreated:
				a.autoFor[e.ID] = stamp.sent
			case *domain.SourceChanged:
				a.autoFor[e.ID] = stamp.sent
			case *domain.ContactCreated:
				a.since[e.ID], rank = stamp.sent, domain.RankOf(e.ID, e.Priority)
			case *domain.ContactReopened:
				a.since[e.ID], rank = stamp.sent, domain.RankOf(e.ID, e.Priority)
			case *domain.ContactReleased:
				a.since[e.ID] = stamp.sent
			case *domain.ContactPrioritised:
				a.since[e.ID] = stamp.sent
			case *domain.ContactAssigned:
				if rank == 0 {
					rank = a.Rank(e.ID)
				}
				if id := a.overtaken(e, rank, stamp.locked); id != 0 {
					return fmt.Errorf("record %d, %+v: overtaken: contact %d waits for operator %d", a.seen+1, e, id, e.Operator)
				}
			}
		}
		if err := a.Record(r); err != nil {
			return err
		}
		if err := a.lags(); err != nil {
			return fmt.Errorf("after record %d: %w", a.seen+1, err)
		}
	}
	return nil
}

// overtaken finds a contact that comes first and waited for the operator when the decision began; not one that the
// operator released, which lets others pass. One that began to wait only
// while the operator's lock was held, when its source's head may have been read already, is a race without a loser.
func (a *auditor) overtaken(e *domain.ContactAssigned, rank domain.Rank, locked int) domain.ContactID {
	if e.How != domain.Automatic && e.How != domain.Sticky {
		return 0
	}
	for id, source := range a.Waiting(e.Operator) {
		if a.Rank(id) < rank && !a.Avoids(id, e.Operator) && max(a.since[id], a.autoFor[source]) < locked {
			return id
		}
	}
	return 0
}

// lags checks that no operator drifts away from its share, whatever comes and goes.
func (a *auditor) lags() error {
	for _, id := range a.Catalog().SourceIDs() {
		links, _ := a.Catalog().Links(id, 0, domain.MaxLinks)
		for _, l := range links {
			if l.Lag > 3*domain.One || l.Lag < -3*domain.One {
				return fmt.Errorf("share: the lag of operator %d in source %d is %f", l.Operator, id, float64(l.Lag)/domain.One)
			}
		}
	}
	return nil
}
