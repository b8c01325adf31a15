package persistence

import (
	"errors"
	"fmt"
	"os"

	"minicrm/persistence/wal"
)

// crashLog is the journal's log on that machine: the real one, whose appends and removals fail or are cut off. What the
// log itself does about fsync is what the tests of persistence/wal look at: here an append that returned is durable.
type crashLog struct {
	walLog
	machine *machine
	torn    uint64 // the entry of an append that failed, of which something is left when the log is closed
	failed  error  // of a roll: the log takes no more
}

// Append that fails leaves the entry whole, not at all, or torn.
func (l *crashLog) Append(payload []byte) (uint64, error) {
	if l.failed != nil {
		return 0, l.failed
	}
	done, fault := l.machine.fault()
	if fault == nil {
		return l.walLog.Append(payload)
	}
	if !done {
		return 0, fault
	}
	index, err := l.walLog.Append(payload)
	if err != nil {
		return 0, err
	}
	l.torn = index
	return 0, fault
}

// Roll that fails has done nothing, and the log goes on; or it has made the file, and the log has failed.
func (l *crashLog) Roll() error {
	done, fault := l.machine.fault()
	if fault != nil && !done {
		return fault
	}
	if err := l.walLog.Roll(); err != nil || fault == nil {
		return err
	}
	l.failed = fmt.Errorf("%w: %w", wal.ErrFailed, fault)
	return l.failed
}

// DropBefore that fails has removed none, some or all of what it should: the oldest first.
func (l *crashLog) DropBefore(index uint64) error {
	_, fault := l.machine.fault()
	if fault == nil {
		return l.walLog.DropBefore(index)
	}
	if l.machine.wasOff {
		return fault
	}
	segments, err := wal.Segments(l.dir)
	if err != nil {
		return err
	}
	part := min(index, segments[l.machine.rng.IntN(len(segments))].First)
	return errors.Join(fault, l.walLog.DropBefore(part))
}

// Close leaves what a crash leaves in the newest segment: of an append that failed some bytes or all or none, and maybe
// room.
func (l *crashLog) Close() error {
	if err := l.walLog.Close(); err != nil {
		return err
	}
	segments, err := wal.Segments(l.dir)
	if err != nil {
		return err
	}
	newest := segments[len(segments)-1]
	from := newest.Size
	err = wal.Walk(l.dir, func(e wal.Entry) error {
		if e.File == newest.Path && e.Index == l.torn {
			from = e.Offset
		}
		return nil
	})
	rng := l.machine.rng
	size := from + rng.Int64N(newest.Size-from+1)
	if rng.IntN(2) == 0 {
		return errors.Join(err, os.Truncate(newest.Path, size))
	}
	if size < newest.Size {
		size = wholeSectors(from, size, newest.Size)
	}
	return errors.Join(err, os.Truncate(newest.Path, size), os.Truncate(newest.Path, newest.Size+rng.Int64N(5000)))
}

// wholeSectors is where an entry ends, of those that begin and end there, that is cut off in room. One whose tear would
// not show there is not written to room: none is left of it.
func wholeSectors(begin, cut, end int64) int64 {
	cut = cut / sectorSize * sectorSize
	if cut-begin <= 4 || end-cut <= 2 {
		return begin
	}
	return cut
}
