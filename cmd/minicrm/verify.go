package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"minicrm/domain"
	"minicrm/persistence"
	"minicrm/persistence/wal"
)

// errMoved says that a server removed what was being read. Another try finds what is there by then.
var errMoved = errors.New("a running server removed what was being read")

// verifyTries bounds how often a verification begins anew because a server removed what it was about to read. One more
// try is enough unless snapshots come faster than this reads.
const verifyTries = 5

// verification looks at all of a data directory: the journal from its first record on, beside it the snapshots as their
// records come. Both are read as files, so a server may be at work: it adds to the end of the journal, which is read
// last, and it removes the oldest snapshots and segments, in this order, once newer ones have taken their place.
type verification struct {
	dir      string
	findings []finding
	pending  []persistence.SnapshotFile // whose record has not come yet, the oldest first
	gone     int                        // snapshots that were removed before they were read

	begun   bool
	auditor *domain.Auditor          // nil: there was nothing to begin from, or a record that cannot be
	base    persistence.SnapshotInfo // what the audit began from, if Path is set

	records, entries    uint64
	last, lastEntry     uint64 // that were read
	segments, snapshots int    // the good ones of the latter
	segment             string
}

// finding is one line of what a verification says.
type finding struct{ level, text string }

const (
	levelError   = "error"
	levelWarning = "warning"
)

// verifyDir verifies a data directory. What is wrong with it is in the findings; the error is for what kept us from
// looking.
func verifyDir(dir string) (v *verification, err error) {
	if _, err := persistence.JournalDir(dir); err != nil {
		return nil, err
	}
	for range verifyTries {
		v = &verification{dir: dir}
		if err = v.run(); !errors.Is(err, errMoved) {
			break
		}
	}
	return v, err
}

func (v *verification) fail(format string, args ...any) {
	v.findings = append(v.findings, finding{levelError, fmt.Sprintf(format, args...)})
}

func (v *verification) warn(format string, args ...any) {
	v.findings = append(v.findings, finding{levelWarning, fmt.Sprintf(format, args...)})
}

// run lists the snapshots before it reads the journal: then the journal must have all that they have.
func (v *verification) run() (err error) {
	if v.pending, err = persistence.Snapshots(v.dir); err != nil {
		return err
	}
	err = persistence.Inspect(v.dir, v.group)
	bad, isBad := errors.AsType[*wal.CorruptError](err)
	whole := err == nil || isBad && bad.Torn
	switch {
	case errors.Is(err, errMoved):
		return err
	case errors.Is(err, wal.ErrDropped):
		return fmt.Errorf("%w: %w", errMoved, err)
	case isBad && bad.Torn:
		v.warn("%v (%d bytes): it is being written, or a crash cut it off; the next start cuts it", bad, bad.Left)
	case err != nil:
		v.fail("%v; what follows it was not read", err)
	}
	if !v.begun && whole {
		if err := v.beginEmpty(); err != nil {
			return err
		}
	}
	v.rest(whole)
	if v.auditor != nil {
		if err := v.auditor.Catalog().Check(); err != nil {
			v.fail("the state after record %d: %v", v.auditor.Catalog().Index(), err)
		}
	}
	return nil
}

// beginEmpty begins at a journal without entries: a new one, or one whose segments are all dropped but the last, which
// waits for its first entry.
func (v *verification) beginEmpty() error {
	journal, err := persistence.JournalDir(v.dir)
	if err != nil {
		return err
	}
	segments, err := wal.Segments(journal)
	if err != nil {
		return err
	}
	first := uint64(1)
	if len(segments) > 0 {
		first = segments[0].First
	}
	return v.begin(first)
}

// begin finds the state before the first entry of the journal: the empty one, or that of the oldest snapshot.
func (v *verification) begin(first uint64) error {
	v.begun = true
	if first == 1 {
		v.auditor = domain.NewAuditor(domain.NewCatalog())
		v.reach(0, 0, true)
		return nil
	}
	for len(v.pending) > 0 && v.auditor == nil {
		catalog, info := v.take()
		switch {
		case catalog == nil:
		case info.Entry+1 >= first:
			v.auditor, v.base = domain.NewAuditor(catalog), info
		case v.isGone(info.Path):
		default:
			v.fail("%s needs the journal from entry %d on, which begins with entry %d", info.Path, info.Entry+1, first)
		}
	}
	if v.auditor == nil && v.gone > 0 {
		return errMoved
	}
	if v.auditor == nil {
		v.fail("the journal begins with entry %d, and there is no good snapshot to begin from: it was not audited", first)
	}
	v.lastEntry = first - 1
	if v.base.Entry == first-1 {
		v.last = v.base.Index
	}
	return nil
}

// take reads and checks the next snapshot; the catalog is nil when it is gone or not good.
func (v *verification) take() (*domain.Catalog, persistence.SnapshotInfo) {
	file := v.pending[0]
	v.pending = v.pending[1:]
	catalog, info, err := persistence.ReadSnapshot(file.Path)
	if errors.Is(err, fs.ErrNotExist) {
		v.gone++
		return nil, info
	}
	if err != nil {
		v.fail("%v", err)
		return nil, info
	}
	if err := catalog.Check(); err != nil {
		v.fail("snapshot %s: the state in it: %v", file.Path, err)
		return nil, info
	}
	v.snapshots++
	return catalog, info
}

func (v *verification) isGone(path string) bool {
	_, err := os.Lstat(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return false
	}
	v.gone++
	v.snapshots--
	return true
}

// group takes the next entry of the journal.
func (v *verification) group(g persistence.Group) error {
	if !v.begun {
		if err := v.begin(g.Entry); err != nil {
			return err
		}
	}
	if v.segment != g.File {
		v.segment = g.File
		v.segments++
	}
	v.entries++
	v.lastEntry = g.Entry
	for i, r := range g.Records {
		v.records++
		v.last = g.First + uint64(i)
		v.audit(g, r)
		v.reach(v.last, g.Entry, i == len(g.Records)-1)
	}
	return nil
}

// audit holds one record against the rules. After the first that breaks one, the state is not to be used.
func (v *verification) audit(g persistence.Group, r domain.Record) {
	if v.auditor == nil {
		return
	}
	base := v.base.Path != "" && v.auditor.Catalog().Index() == v.base.Index
	if base && v.last <= v.base.Index {
		return // the snapshot that the audit began from has it
	}
	if due := v.auditor.Catalog().Index() + 1; v.last != due {
		v.fail("%s: offset %d, entry %d: record %d follows snapshot %s, which ends with record %d",
			g.File, g.Offset, g.Entry, v.last, v.base.Path, due-1)
		v.auditor = nil
		return
	}
	if err := v.auditor.Record(r); err != nil {
		v.fail("%s: offset %d, entry %d: %v; the records behind it were not audited", g.File, g.Offset, g.Entry, err)
		v.auditor = nil
	}
}

// reach holds the state after a record against the snapshots of it. last says that the record is its entry's last.
func (v *verification) reach(index, entry uint64, last bool) {
	if v.base.Path != "" && v.base.Index == index {
		v.place(v.base, entry, last)
	}
	for len(v.pending) > 0 && v.pending[0].Index == index {
		catalog, info := v.take()
		if catalog == nil {
			continue
		}
		v.place(info, entry, last)
		if v.auditor == nil {
			continue
		}
		if err := v.auditor.Catalog().Same(catalog); err != nil {
			v.fail("snapshot %s differs from what the journal leads to: %v", info.Path, err)
		}
	}
}

// place checks that a snapshot names the entry that ends with its record: a start goes on behind that one.
func (v *verification) place(s persistence.SnapshotInfo, entry uint64, last bool) {
	if s.Entry != entry || !last {
		v.fail("snapshot %s is to be of entry %d and its last record %d, which is in entry %d", s.Path, s.Entry, s.Index, entry)
	}
}

// rest looks at the snapshots that were not reached. In a journal that was read to its end that means that its end is
// missing.
func (v *verification) rest(whole bool) {
	for len(v.pending) > 0 {
		catalog, info := v.take()
		if catalog != nil && whole {
			v.fail("%s is of record %d, and the journal ends with record %d: it has lost records that were acknowledged",
				info.Path, info.Index, v.last)
		}
	}
	if whole && v.base.Path != "" && (v.base.Entry > v.lastEntry || v.base.Index > v.last) {
		v.fail("%s is of entry %d and record %d, and the journal ends with entry %d and record %d: it has lost records that "+
			"were acknowledged", v.base.Path, v.base.Entry, v.base.Index, v.lastEntry, v.last)
	}
}
