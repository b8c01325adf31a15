package httpapi

import (
	"fmt"

	"minicrm/domain"
)

// journalSnapshots is after how many snapshots the journal has nothing of a person: it goes back to the older of two.
const journalSnapshots = 2

// erasedView says what is left to be done, and when the journal has nothing of the person any more.
type erasedView struct {
	ID             domain.LeadID `json:"id"`
	Index          uint64        `json:"index"`                          // of the journal; later records have nothing of the person
	SnapshotEvery  uint64        `json:"snapshot_every"`                 // records; 0 = only when asked for
	AfterSnapshots int           `json:"journal_erased_after_snapshots"` // of that record or later ones, no two of the same
	AfterRecord    *uint64       `json:"journal_erased_after_record"`    // where the last of them is due; null = when asked for
	Gone           string        `json:"gone_from_journal"`
	Archives       string        `json:"archives"`
}

// eraseLead erases a person. It needs no room on the disk that other commands do not need.
func (a *api) eraseLead(r *request) (answer, error) {
	id, err := onlyID[domain.LeadID](r)
	if err != nil {
		return answer{}, err
	}
	index, err := a.dispatcher.EraseLead(r.context(), id, a.stamp(r))
	if err != nil {
		return answer{}, err
	}
	due := lastDue(index, a.snapshotEvery)
	return ok(&erasedView{
		ID: id, Index: index, SnapshotEvery: a.snapshotEvery, AfterSnapshots: journalSnapshots, AfterRecord: due,
		Gone:     goneFromJournal(index, due),
		Archives: fmt.Sprintf("contacts archived before now keep the person until: minicrm archive erase --lead %d", id),
	})
}

// lastDue is the record with which the last of the snapshots is due by itself: one is due every so many records, so after
// any record the first within as many.
func lastDue(index, every uint64) *uint64 {
	if every == 0 {
		return nil
	}
	due := index + journalSnapshots*every
	return &due
}

// goneFromJournal is a promise to a person, so it says no more than holds. Each snapshot begins a new segment of the
// journal, and two of them stay with the journal from the older on.
func goneFromJournal(index uint64, due *uint64) string {
	when := "they are taken on SIGUSR1 and POST /v1/snapshots only"
	if due != nil {
		when = fmt.Sprintf("the last is due with record %d, if none fails; SIGUSR1 and POST /v1/snapshots take one at once", *due)
	}
	return fmt.Sprintf("nothing is left in the journal, nor in a snapshot, once %d snapshots were written of different records, "+
		"each %d or later: %s. From then on the metric minicrm_journal_oldest_record is above %d",
		journalSnapshots, index, when, index)
}
