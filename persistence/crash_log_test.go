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
	torn    *tear // what a failed append left, to be done when the log is closed
	failed  error // of a roll: the log takes no more
}

// tear cuts a segment off.
type tear struct {
	path string
	size int64
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
	before, err := wal.Segments(l.dir)
	if err != nil {
		return 0, err
	}
	if _, err := l.walLog.Append(payload); err != nil {
		return 0, err
	}
	after, err := wal.Segments(l.dir)
	if err != nil {
		return 0, err
	}
	last, from := after[len(after)-1], int64(0)
	if n := len(before); len(after) == n {
		from = before[n-1].Size
	}
	if last.Size > from && last.First <= l.LastIndex() {
		l.torn = &tear{last.Path, from + l.machine.rng.Int64N(last.Size-from+1)}
	}
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

func (l *crashLog) Close() error {
	err := l.walLog.Close()
	if l.torn != nil {
		err = errors.Join(err, os.Truncate(l.torn.path, l.torn.size))
	}
	return err
}
