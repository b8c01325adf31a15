package persistence

import "minicrm/persistence/wal"

// entryLog is what the journal needs of persistence/wal. DropBefore and Segments may be called beside the others,
// but DropBefore not beside Roll.
type entryLog interface {
	Segments() ([]segment, error)
	LastIndex() uint64
	// ReplayFrom calls fn for each entry from this one on. A payload is valid during the call only.
	ReplayFrom(from uint64, fn func(index uint64, payload []byte) error) error
	Append(payload []byte) (index uint64, err error)
	// Roll begins a new segment: DropBefore of the next entry then leaves none of those that are there now. An error with
	// wal.ErrFailed is for good.
	Roll() error
	// DropBefore removes the oldest segments, those that have no entry from this one on.
	DropBefore(index uint64) error
	Close() error
}

// segment is a file of the log.
type segment struct {
	first uint64 // entry
	bytes int64
}

// walLog is the log in a directory.
type walLog struct {
	*wal.Log
	dir string
}

func (l walLog) Segments() ([]segment, error) {
	all, err := wal.Segments(l.dir)
	if err != nil {
		return nil, err
	}
	segments := make([]segment, len(all))
	for i, s := range all {
		segments[i] = segment{s.First, s.Size}
	}
	return segments, nil
}

func (l walLog) DropBefore(index uint64) error {
	_, err := wal.DropBefore(l.dir, index)
	return err
}
