package actors

import (
	"context"
	"runtime"
	"time"

	"minicrm/domain"
)

// maxBatchBytes is the size from which a batch is written without waiting for what else is in the mailbox.
const maxBatchBytes = 1 << 20

// maxBatch is the same for the number of records and answers.
const maxBatch = 4096

// Journal is where records become durable. Package persistence implements it. All but WriteSnapshot belong to the journal
// decider.
type Journal interface {
	// Recover is the committed state: the newest snapshot and the records since. progress hears how far it has come.
	Recover(progress func(done, total int64)) (*domain.Catalog, error)
	// Add puts a record into the pending batch and returns the batch's size in bytes.
	Add(domain.Record) int
	// Commit makes the pending batch durable, all or nothing. After an error the journal is unusable.
	Commit() error
	// Roll comes before a freeze, between two commits, and returns the place in the log that the snapshot must name. What is
	// before that place is no longer in one file with what comes. After an error there is no snapshot; if the journal is
	// unusable then, Commit says so.
	Roll() (entry uint64, err error)
	// Snapshotted is the index of the newest snapshot's state; 0 = there is none.
	Snapshotted() uint64
	// WriteSnapshot writes what was frozen when Roll returned entry, and then drops what no kept snapshot needs. It runs while
	// the others go on.
	WriteSnapshot(ctx context.Context, f *domain.Frozen, entry uint64) error
}

// flush comes twice to a batch. First it stands in the mailbox behind all that had arrived when the batch began; then
// whoever can run may go first, since they may have something for this batch, and it stands behind that. The last flush
// ends the batch: an fsync costs as much for one record as for many.
type flush struct{ last bool }

// journal commits records in the order in which they arrive, many at a time, and only then applies them to the catalog
// and settles who waits.
type journal struct {
	log     Journal
	catalog *catalog
	passing *passing
	self    mailbox
	metrics *metrics
	fail    func(error)
	batch   []*commit
	group   group // what was gathered
	traced  bool  // commands may be traced

	snapshots snapshots
}

func (j *journal) handle(message any) {
	switch m := message.(type) {
	case *commit:
		j.gather(m)
	case flush:
		if m.last {
			j.write()
			return
		}
		runtime.Gosched()
		j.self.Tell(flush{last: true})
	case *takeSnapshot:
		j.snapshots.wanted(j, m.done)
	case snapshotTaken:
		j.snapshots.taken(j, m)
	}
}

func (j *journal) gather(c *commit) {
	if len(j.batch) == 0 {
		j.self.Tell(flush{})
	}
	j.batch = append(j.batch, c)
	bytes := 0
	if len(c.record.Events) > 0 {
		c.record.By = c.By
		bytes = j.log.Add(c.record)
		j.group.records, j.group.bytes = j.group.records+1, bytes
	}
	if bytes >= maxBatchBytes || len(j.batch) >= maxBatch {
		j.write()
	}
}

// write is the point from which a command has happened.
func (j *journal) write() {
	j.group.begun = j.time()
	if err := j.log.Commit(); err != nil {
		j.fail(err)
		return
	}
	j.group.durable = j.time()
	at := j.metrics.time()
	for i, c := range j.batch {
		if len(c.record.Events) > 0 {
			if err := j.catalog.apply(c.record); err != nil {
				j.fail(err)
				return
			}
		}
		j.metrics.settled(c, j.catalog.committed, at)
		if j.traced {
			c.traced().settle(j.group, j.catalog.committed.Index())
		}
		if c.waiter != nil {
			c.waiter.settle(j.catalog.committed, c.subject, c.err)
		}
		if c.passed != 0 {
			j.passing.end(c.passed)
		}
		j.batch[i] = nil
	}
	j.batch, j.group = j.batch[:0], group{}
	j.snapshots.due(j)
}

// time is when something was written, for who traces.
func (j *journal) time() (t time.Time) {
	if j.traced {
		t = time.Now()
	}
	return t
}
