package httpapi

import (
	"fmt"

	"minicrm/domain"
)

// erasedView says what is left to be done, and when the journal has nothing of the person any more.
type erasedView struct {
	ID            domain.LeadID `json:"id"`
	Index         uint64        `json:"index"`          // of the journal; later records have nothing of the person
	SnapshotEvery uint64        `json:"snapshot_every"` // records; 0 = only when asked for
	Gone          string        `json:"gone_from_journal"`
	Archives      string        `json:"archives"`
}

// eraseLead erases a person. It needs no room on the disk that other commands do not need.
func (a *api) eraseLead(r *request) (answer, error) {
	if err := r.decodeNothing(); err != nil {
		return answer{}, err
	}
	id := domain.LeadID(r.pathID("id"))
	if err := r.check(nil); err != nil {
		return answer{}, err
	}
	index, err := a.dispatcher.EraseLead(r.context(), id, a.stamp(r))
	if err != nil {
		return answer{}, err
	}
	return ok(&erasedView{
		ID: id, Index: index, SnapshotEvery: a.snapshotEvery,
		Gone:     goneFromJournal(index, a.snapshotEvery),
		Archives: fmt.Sprintf("contacts archived before now keep the person until: minicrm archive erase --lead %d", id),
	})
}

// goneFromJournal is a promise to a person, so it says no more than holds: the two newest snapshots stay, and the journal
// from the older of them on, in whole segment files.
func goneFromJournal(index, every uint64) string {
	when := "snapshots are taken only on SIGUSR1 or POST /v1/snapshots"
	if every > 0 {
		when = fmt.Sprintf("one is taken every %d records, so the second at about record %d", every, index+2*every)
	}
	return fmt.Sprintf("with the second snapshot of a record from %d on (%s); what shares the journal's last segment file "+
		"with that snapshot's predecessor goes with the next snapshot after that file is full", index, when)
}
