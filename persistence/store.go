package persistence

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/prometheus/client_golang/prometheus"

	"minicrm/domain"
)

// KeepSnapshots is how many snapshots stay: the journal reaches back to the oldest of them.
const KeepSnapshots = 2

var errSnapshotRuns = errors.New("another snapshot is being written")

// Store is a data directory: the journal and the snapshots. Its life is OpenStore, Recover, then any number of Add, Commit
// and Roll, Close; these, and Entry, belong to one goroutine. WriteSnapshot may run on another one beside them; whoever
// closes the store has ended it before, by its context.
type Store struct {
	dir     string
	journal *Journal
	disk    files
	logger  *slog.Logger
	metrics *storeMetrics
	prepare func(*domain.Catalog)
	diskUse registered

	newest    atomic.Uint64  // index of the newest good snapshot
	snapshots sync.Mutex     // held while a snapshot is written or read
	good      []SnapshotInfo // of KeepSnapshots at most, which are known to be whole, the oldest first
	encoder   *zstd.Encoder  // made for the first snapshot
}

// OpenStore opens a data directory, and creates it if needed. It locks it, too: ErrLocked of persistence/wal is what a
// second Store gets.
func OpenStore(dir string, o Options) (*Store, error) { return openStore(dir, o, realFiles{}) }

func openStore(dir string, o Options, d files) (*Store, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("open the data directory: %w", err)
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	m, err := newStoreMetrics(o.Registerer)
	if err != nil {
		return nil, fmt.Errorf("open the data directory: %w", err)
	}
	journal, err := OpenJournal(filepath.Join(dir, journalDir), o)
	if err != nil {
		m.unregister()
		return nil, err
	}
	s := &Store{dir: dir, journal: journal, disk: d, logger: o.Logger, metrics: m, prepare: o.Prepare}
	s.diskUse = registered{o.Registerer, []prometheus.Collector{newDiskUse(dir, journal.log)}}
	if err := s.diskUse.register(); err != nil {
		return nil, errors.Join(fmt.Errorf("register the metrics of the disk: %w", err), s.Close())
	}
	if err := s.makeSnapshotsDir(); err != nil {
		return nil, errors.Join(fmt.Errorf("open the data directory: %w", err), s.Close())
	}
	return s, nil
}

// makeSnapshotsDir makes the directory and makes its name durable: opening the journal did that for the one above.
func (s *Store) makeSnapshotsDir() error {
	if err := os.Mkdir(filepath.Join(s.dir, snapshotsDir), dirMode); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return s.disk.syncDir(s.dir)
}

// Add puts a record into the pending group, and returns the group's size in bytes. See Journal.Add.
func (s *Store) Add(r domain.Record) (batchBytes int) { return s.journal.Add(r) }

// Commit makes the pending group durable. See Journal.Commit.
func (s *Store) Commit() error { return s.journal.Commit() }

// Entry is the log's entry of the last Commit, or of the last one that Recover found; 0 = there never was one.
func (s *Store) Entry() uint64 { return s.journal.entry }

// Roll comes between two commits, before a snapshot of the state there, and returns what that must name: the Entry. The
// journal goes on in a new segment, so that it drops all that such a snapshot has, and not only what fills a segment.
// While a snapshot is written it refuses.
func (s *Store) Roll() (entry uint64, err error) {
	if !s.snapshots.TryLock() {
		return 0, errSnapshotRuns
	}
	defer s.snapshots.Unlock()
	if err := s.journal.roll(); err != nil {
		s.metrics.failures.Inc()
		return 0, err
	}
	return s.journal.entry, nil
}

// Snapshotted is the index of the last record that the newest good snapshot has; 0 = there is none. It may be called
// from any goroutine.
func (s *Store) Snapshotted() uint64 { return s.newest.Load() }

// Close closes the journal. A second Close does nothing.
func (s *Store) Close() error {
	err := s.journal.Close()
	s.metrics.unregister()
	s.diskUse.unregister()
	return err
}

// WriteSnapshot writes a snapshot of the state that was frozen after the commit of this entry, while Add and Commit go
// on. Once it is durable, all but the two newest good ones are removed, and so is the part of the journal that the older
// of these has. An error leaves everything as it was, and the next try is free to come; a context that ends does too.
func (s *Store) WriteSnapshot(ctx context.Context, f *domain.Frozen, entry uint64) (SnapshotInfo, error) {
	if !s.snapshots.TryLock() {
		return SnapshotInfo{}, errSnapshotRuns
	}
	defer s.snapshots.Unlock()
	start := time.Now()
	info, err := s.writeSnapshot(ctx, f, entry)
	if err == nil {
		info.Duration = time.Since(start)
		s.metrics.wrote(info)
		s.logger.Info("wrote a snapshot", "snapshot", info)
		err = s.retire()
	}
	if err != nil {
		s.metrics.failures.Inc()
		return info, fmt.Errorf("write the snapshot of record %d: %w", f.Progress.Index, err)
	}
	return info, nil
}

// writeSnapshot makes the file, durable under its name or not at all, and counts it as good.
func (s *Store) writeSnapshot(ctx context.Context, f *domain.Frozen, entry uint64) (info SnapshotInfo, err error) {
	if n := len(s.good); n > 0 && (f.Progress.Index < s.good[n-1].Index || entry < s.good[n-1].Entry) {
		return info, fmt.Errorf("there is a newer one: %s", s.good[n-1].Path)
	}
	path := snapshotPath(s.dir, f.Progress.Index)
	size, err := s.writeTemporary(ctx, path+temporarySuffix, f, entry)
	if err == nil {
		err = s.disk.rename(path+temporarySuffix, path)
	}
	if err != nil {
		return info, errors.Join(err, s.removeTemporary(path+temporarySuffix))
	}
	if err := s.disk.syncDir(filepath.Dir(path)); err != nil {
		return info, fmt.Errorf("fsync the directory: %w", err)
	}
	info.SnapshotFile = SnapshotFile{Path: path, Index: f.Progress.Index, Bytes: size, Taken: time.Now()}
	info.describe(headerOf(f, entry))
	s.keep(info)
	return info, nil
}

func (s *Store) writeTemporary(ctx context.Context, path string, f *domain.Frozen, entry uint64) (size int64, err error) {
	if s.encoder == nil {
		if s.encoder, err = newEncoder(); err != nil {
			return 0, err
		}
	}
	file, err := s.disk.create(path)
	if err != nil {
		return 0, err
	}
	if size, err = writeSnapshot(ctx, newSteady(ctx, file, s.journal.busy), s.encoder, f, entry); err == nil {
		err = file.Sync()
	}
	return size, errors.Join(err, file.Close())
}

func (s *Store) removeTemporary(path string) error {
	if err := s.disk.remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// keep counts a snapshot as good.
func (s *Store) keep(info SnapshotInfo) {
	if n := len(s.good); n > 0 && s.good[n-1].Index == info.Index {
		s.good = s.good[:n-1] // this one has taken its place
	}
	s.good = append(s.good, info)
	s.newest.Store(info.Index)
	if len(s.good) > KeepSnapshots {
		s.good = s.good[len(s.good)-KeepSnapshots:]
	}
}

// retire removes what no start will need: snapshots that are damaged or older than the good ones, and the segments of
// the journal that lie before the older good one. With fewer good ones than there should be, it removes nothing.
func (s *Store) retire() error {
	if len(s.good) < KeepSnapshots {
		return nil
	}
	files, err := Snapshots(s.dir)
	if err != nil {
		return err
	}
	for _, file := range files {
		if s.isGood(file) {
			continue
		}
		if err := s.disk.remove(file.Path); err != nil {
			return fmt.Errorf("remove an old snapshot: %w", err)
		}
	}
	if err := s.journal.log.DropBefore(s.good[0].Entry + 1); err != nil {
		return fmt.Errorf("drop what snapshots have of the journal: %w", err)
	}
	s.lookOldest(s.good[0].Index + 1)
	return nil
}

// lookOldest shows which record is the oldest that the journal has; next is the answer if it has none. Damage there is no
// concern of a start that does not need those records.
func (s *Store) lookOldest(next uint64) {
	oldest, err := oldestRecord(s.dir, next)
	if err != nil {
		s.logger.Warn("the oldest record of the journal cannot be read", "error", err)
		oldest = 0
	}
	s.metrics.oldest.Set(float64(oldest))
}

func (s *Store) isGood(file SnapshotFile) bool {
	for _, good := range s.good {
		if good.Index == file.Index {
			return true
		}
	}
	return false
}
