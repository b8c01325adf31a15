package persistence

import (
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"minicrm/domain"
	"minicrm/persistence/wal"
)

// MaxGroup is the size in bytes of the largest group that can be committed. Whoever adds commits well before it.
const MaxGroup = wal.MaxPayload

// ErrClosed is what a closed journal returns.
var ErrClosed = errors.New("the journal is closed")

var errReplayed = errors.New("the journal was replayed already")

// Options are what OpenJournal needs to know; the zero value is good.
type Options struct {
	SegmentSize int                   // of the log's files, in bytes; 0 is the log's default
	Logger      *slog.Logger          // nil discards
	Registerer  prometheus.Registerer // nil: the metrics are nowhere to be seen

	// Prepare hears, within a store's Recover, of the catalog that the journal's records are about to be applied to. It
	// is where to say what a catalog shall remember: the default may be less, and what replay has forgotten is gone.
	Prepare func(*domain.Catalog)
}

// Journal is an open journal. It belongs to one goroutine. Its life is OpenJournal, Replay, then any number of
// Add and Commit, Close.
type Journal struct {
	log      entryLog
	metrics  *metrics
	replayed bool
	next     uint64       // index of the next record that is added
	entry    uint64       // of the log, the last one
	group    group        // what was added and is not committed
	err      error        // the first failure, for good
	latest   atomic.Int64 // when the latest commit began, in nanoseconds since 1970
}

// busyFor is how long after a commit the next one is expected.
const busyFor = 100 * time.Millisecond

// busy says whether commits come in. It may be called from any goroutine.
func (j *Journal) busy() bool { return time.Now().UnixNano()-j.latest.Load() < int64(busyFor) }

// OpenJournal opens the journal in a directory, and creates both if needed.
func OpenJournal(dir string, o Options) (*Journal, error) {
	log, err := wal.Open(dir, wal.Options{SegmentSize: o.SegmentSize, Logger: o.Logger})
	if err != nil {
		return nil, fmt.Errorf("open the journal: %w", err)
	}
	m, err := newMetrics(o.Registerer)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open the journal: %w", err), log.Close())
	}
	m.repaired(log.Repaired())
	return newJournal(walLog{log, dir}, m), nil
}

func newJournal(log entryLog, m *metrics) *Journal { return &Journal{log: log, metrics: m} }

// Replay hands every record to apply, in order. It comes once, before the first Add, also on an empty journal: it is
// what finds the next index. After an error, be it of the log, of a record's bytes or of apply, the journal takes nothing.
func (j *Journal) Replay(apply func(domain.Record) error) error {
	return j.replay(1, 1, func(int) {}, apply)
}

// replay is Replay from an entry on, whose first record has the index next. read hears how many bytes were read.
func (j *Journal) replay(entry, next uint64, read func(bytes int), apply func(domain.Record) error) error {
	switch {
	case j.err != nil:
		return j.err
	case j.replayed:
		return errReplayed
	}
	next, err := replayInOrder(j.log, entry, next, read, apply)
	if err != nil {
		return j.fail(fmt.Errorf("replay the journal: %w", err))
	}
	j.next, j.entry, j.replayed = next, j.log.LastIndex(), true
	j.metrics.index.Set(float64(next - 1))
	return nil
}

// Add puts a record into the pending group, and returns the group's size in bytes. It does no I/O and keeps nothing of
// r. A record that Replay would refuse is a bug and panics: one without events, or with an event or value that
// journalpb/journal.proto does not know. In a journal that has failed it does nothing; Commit says why.
func (j *Journal) Add(r domain.Record) (batchBytes int) {
	switch {
	case j.err != nil:
		return j.group.size
	case !j.replayed:
		panic("persistence: Add before Replay")
	}
	batchBytes = j.group.add(j.next, r)
	j.next++
	return batchBytes
}

// Commit makes the pending group durable, all or nothing; when it returns without an error, it is. The first error is
// for good, since nobody knows then what is on the disk: the records of that group may be there after a reopening.
func (j *Journal) Commit() error {
	if j.err != nil {
		return j.err
	}
	if j.group.records == 0 {
		return nil
	}
	start := time.Now()
	j.latest.Store(start.UnixNano())
	entry, err := j.log.Append(j.group.payload())
	if err != nil {
		return j.fail(fmt.Errorf("commit records %d to %d: %w", j.next-uint64(j.group.records), j.next-1, err))
	}
	j.entry = entry
	j.metrics.committed(j.group.records, j.group.size, j.next-1, time.Since(start))
	j.group.clear()
	return nil
}

// roll begins a new segment of the log. Only an error of the log that is for good is one of the journal, too.
func (j *Journal) roll() error {
	if j.err != nil {
		return j.err
	}
	err := j.log.Roll()
	if err == nil {
		return nil
	}
	err = fmt.Errorf("begin a new segment of the journal: %w", err)
	if errors.Is(err, wal.ErrFailed) {
		return j.fail(err)
	}
	return err
}

// Close closes the journal; what was added and not committed is gone. A second Close does nothing.
func (j *Journal) Close() error {
	if errors.Is(j.err, ErrClosed) {
		return nil
	}
	j.err = ErrClosed
	j.metrics.unregister()
	if err := j.log.Close(); err != nil {
		return fmt.Errorf("close the journal: %w", err)
	}
	return nil
}

func (j *Journal) fail(err error) error {
	j.err = err
	return err
}
