package httpapi

import (
	"fmt"

	"minicrm/domain"
)

// journalSnapshots is after how many snapshots the journal has nothing of a person: it goes back to the older of two.
const journalSnapshots = 2

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
	return ok(Erased{
		ID: ID(id), Index: int64(index), SnapshotEvery: int64(a.snapshotEvery),
		JournalErasedAfterSnapshots: journalSnapshots, JournalErasedAfterRecord: orNull(int64(due)),
		GoneFromJournal: goneFromJournal(index, due),
		Archives:        fmt.Sprintf("contacts archived before now keep the person until: minicrm archive erase --lead %d", id),
	})
}

// lastDue is the record with which the last of the snapshots is due by itself: one is due every so many records, so after
// any record the first within as many. 0 = none is.
func lastDue(index, every uint64) uint64 {
	if every == 0 {
		return 0
	}
	return index + journalSnapshots*every
}

// goneFromJournal is a promise to a person, so it says no more than holds. Each snapshot begins a new segment of the
// journal, and two of them stay with the journal from the older on.
func goneFromJournal(index uint64, due uint64) string {
	when := "they are taken on SIGUSR1 and POST /v1/snapshots only"
	if due != 0 {
		when = fmt.Sprintf("the last is due with record %d, if none fails; SIGUSR1 and POST /v1/snapshots take one at once", due)
	}
	return fmt.Sprintf("nothing is left in the journal, nor in a snapshot, once %d snapshots were written of different records, "+
		"each %d or later: %s. From then on the metric minicrm_journal_oldest_record is above %d",
		journalSnapshots, index, when, index)
}
