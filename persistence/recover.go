package persistence

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"minicrm/domain"
)

// Recover rebuilds the committed state: the newest snapshot that is whole, and the journal from there on. It comes once,
// before the first Add. What it does in every case is in DESIGN.md. progress, which may be nil, hears bytes, at most
// some hundred times, on the caller's goroutine; after a damaged snapshot it begins anew.
func (s *Store) Recover(progress func(done, total int64)) (*domain.Catalog, error) {
	s.snapshots.Lock()
	defer s.snapshots.Unlock()
	start := time.Now()
	catalog, base, err := s.recover(&meter{report: progress})
	if err != nil {
		return nil, s.journal.fail(fmt.Errorf("recover %s: %w", s.dir, err))
	}
	took := time.Since(start)
	s.metrics.recovered(catalog, base, took)
	s.logger.Info("recovered", "index", catalog.Index(), "of_snapshot", base, "entry", s.Entry(), "took", took)
	return catalog, nil
}

func (s *Store) recover(m *meter) (c *domain.Catalog, base uint64, err error) {
	if err := s.removeLeftovers(); err != nil {
		return nil, 0, err
	}
	files, err := Snapshots(s.dir)
	if err != nil {
		return nil, 0, err
	}
	segments, err := s.journal.log.Segments()
	if err != nil {
		return nil, 0, err
	}
	c, from, err := s.base(files, segments, m)
	if err != nil {
		return nil, 0, err
	}
	if s.prepare != nil {
		s.prepare(c)
	}
	m.begin(from.Bytes, tailBytes(segments, from.Entry+1))
	if err := s.journal.replay(from.Entry+1, from.Index+1, m.journal, c.Apply); err != nil {
		return nil, 0, err
	}
	if n := len(files); n > 0 && files[n-1].Index > c.Index() {
		return nil, 0, fmt.Errorf("there is a snapshot of record %d, %s, but the journal ends with record %d: it has lost records "+
			"that were acknowledged. Restore the journal, or the whole directory, from a backup",
			files[n-1].Index, files[n-1].Path, c.Index())
	}
	m.finish()
	s.lookOldest(c.Index() + 1)
	return c, from.Index, nil
}

// removeLeftovers removes the snapshots that were not finished.
func (s *Store) removeLeftovers() error {
	entries, err := os.ReadDir(filepath.Join(s.dir, snapshotsDir))
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), snapshotSuffix+temporarySuffix) {
			continue
		}
		if err := s.disk.remove(filepath.Join(s.dir, snapshotsDir, e.Name())); err != nil {
			return fmt.Errorf("remove an unfinished snapshot: %w", err)
		}
	}
	// A snapshot may have got its name just before its writer died. What is seen now must be there from now on.
	return s.disk.syncDir(filepath.Join(s.dir, snapshotsDir))
}

// base is the catalog to begin from: of the newest snapshot that is whole, or, where none is, the empty one.
func (s *Store) base(files []SnapshotFile, tail []segment, m *meter) (*domain.Catalog, SnapshotInfo, error) {
	for i := len(files) - 1; i >= 0; i-- {
		m.begin(0, files[i].Bytes+tailBytes(tail, 0))
		catalog, info, err := loadSnapshot(s.disk, files[i], m.to)
		if err != nil {
			s.metrics.damaged.Inc()
			s.logger.Warn("a snapshot cannot be used; going back to the one before it, or to the journal alone",
				"file", files[i].Path, "error", err)
			continue
		}
		if err := s.fits(info, tail); err != nil {
			return nil, info, err
		}
		s.keep(info)
		s.metrics.found(info)
		s.logger.Info("read a snapshot", "snapshot", info)
		return catalog, info, nil
	}
	if first := firstEntry(tail); first > 1 {
		return nil, SnapshotInfo{}, fmt.Errorf("the journal begins with entry %d, so it needs a snapshot, and of %d snapshots none "+
			"can be used. Restore the directory from a backup", first, len(files))
	}
	return domain.NewCatalog(), SnapshotInfo{}, nil
}

// fits checks that the journal goes on where a snapshot ends.
func (s *Store) fits(info SnapshotInfo, tail []segment) error {
	if last := s.journal.log.LastIndex(); last < info.Entry {
		return fmt.Errorf("snapshot %s was written after entry %d of the journal, which ends with entry %d: it has lost records "+
			"that were acknowledged. Restore the journal, or the whole directory, from a backup", info.Path, info.Entry, last)
	}
	if first := firstEntry(tail); first > info.Entry+1 {
		return fmt.Errorf("snapshot %s needs the journal from entry %d on, which begins with entry %d. "+
			"Restore a newer snapshot, or the whole directory, from a backup", info.Path, info.Entry+1, first)
	}
	return nil
}

func firstEntry(tail []segment) uint64 {
	if len(tail) == 0 {
		return 1
	}
	return tail[0].first
}

// tailBytes is the size of the segments that have an entry from this one on.
func tailBytes(all []segment, entry uint64) (bytes int64) {
	for i, seg := range all {
		if i+1 == len(all) || all[i+1].first > entry {
			bytes += seg.bytes
		}
	}
	return bytes
}

// meter reports progress, not too often.
type meter struct {
	report              func(done, total int64)
	done, total, before int64 // before: what of done came before the journal
	next                int64 // report at this done
}

// meterSteps is how many times a meter reports about.
const meterSteps = 200

// begin starts at done, with what is still to come.
func (m *meter) begin(done, rest int64) {
	m.done, m.before, m.total, m.next = done, done, done+rest, 0
	m.to(done)
}

func (m *meter) to(done int64) {
	m.done = min(done, m.total)
	if m.report == nil || m.done < m.next {
		return
	}
	m.report(m.done, m.total)
	m.next = m.done + max(1, m.total/meterSteps)
}

// journal hears of payloads; what the log adds to each is small.
func (m *meter) journal(bytes int) { m.to(m.done + int64(bytes)) }

func (m *meter) finish() {
	if m.next = 0; m.total > 0 {
		m.to(m.total)
	}
}
