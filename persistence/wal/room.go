package wal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
)

// roomStep is how much room is made at once. 1 and 4 MiB measured the same, with more zeros written for each record that
// has the room cut off (tearShows): about one of 200.
const roomStep = 256 << 10

// room is what the newest segment has behind its records: zeros, over which the next ones are written. So an fsync finds
// the size of the file as it was, and is one write to the disk and not two. doc.go says why that is safe. It is never
// needed: where there is none, a record makes the file grow.
type room struct {
	sys     system
	logger  *slog.Logger
	file    *os.File // a handle of our own: the library has its place in the file, and this must not move it
	end     int64    // of the records
	size    int64    // of the file
	full    int64    // the size with which the library ends the segment: room does not go beyond it
	refused bool     // there was no space for more
}

// openRoom comes after the library has opened or begun the newest segment: the file ends with its records then.
func (l *Log) openRoom() (*room, error) {
	f, err := os.OpenFile(filepath.Join(l.dir, segmentName(l.newest)), os.O_WRONLY, 0)
	if err != nil {
		return nil, fmt.Errorf("open the newest segment: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("measure the newest segment: %w", err), f.Close())
	}
	return &room{
		sys: l.sys, logger: l.logger, file: f, end: info.Size(), size: info.Size(), full: int64(l.segmentSize),
	}, nil
}

// moveRoom follows the library into a new segment.
func (l *Log) moveRoom() error {
	begun, err := l.openRoom()
	if err != nil {
		return err
	}
	old := l.room
	l.room = begun
	return old.file.Close()
}

// isFilledBy says whether the library rolls with this frame: before it writes it if the segment is full already, or
// behind it. Either way the segment ends with a record and has no room.
func (r *room) isFilledBy(frame []byte) bool { return r.end+recordSize(frame) >= r.full }

// prepare makes room for a frame if there is too little, and none for one that would not show when it is torn: that one
// makes the file grow. So does what is left of one that is too large.
func (r *room) prepare(frame []byte) error {
	if !tearShows(r.end, frame) {
		return r.cut()
	}
	end, to := r.end+recordSize(frame), min(r.end+roomStep, r.full)
	if r.size < end && end <= to && !r.refused {
		r.grow(to)
	}
	return nil
}

// grow makes room up to an offset. It is made durable by the fsync of the commit that wanted it. On a full disk there is
// as much as there is space for, and then no more in this segment: it is not the room that shall fail.
func (r *room) grow(to int64) {
	n, err := r.sys.zero(r.file, r.size, to)
	r.size += n
	if err != nil {
		r.refused = true
		r.logger.Warn("wal: no space to write ahead, so commits take longer in this segment", "file", r.file.Name(), "error", err)
	}
}

// take is told of a frame that was written.
func (r *room) take(frame []byte) {
	r.end += recordSize(frame)
	r.size = max(r.size, r.end)
}

// cut ends the file with its records, durably.
func (r *room) cut() error {
	if r.size == r.end {
		return nil
	}
	if err := r.file.Truncate(r.end); err != nil {
		return fmt.Errorf("cut the room off: %w", err)
	}
	if err := r.sys.syncFile(r.file); err != nil {
		return fmt.Errorf("cut the room off: fsync: %w", err)
	}
	r.size = r.end
	return nil
}

func recordSize(frame []byte) int64 { return int64(prefixSize(frame) + len(frame)) }

func prefixSize(frame []byte) int {
	var b [binary.MaxVarintLen64]byte
	return binary.PutUvarint(b[:], uint64(len(frame)))
}

// tearShows says whether the tail rule knows the record of this frame, written to room at an offset, for torn whichever
// of its sectors are lost, by what is zero then. It does not know a sparse one, nor a sector that holds nothing but the
// prefix, or nothing but the trailer and zeros.
func tearShows(offset int64, frame []byte) bool {
	prefix := prefixSize(frame)
	end := offset + int64(prefix+len(frame))
	inFirst := sectorSize - offset%sectorSize
	inLast := min((end-1)%sectorSize+1, int64(len(frame)))
	return frame[0] == versionDense && inFirst > int64(prefix) && !allZero(frame[len(frame)-int(inLast):len(frame)-1])
}

// zeros are what room is written from.
var zeros [64 << 10]byte

// writeZeros writes zeros between two offsets of a file, and returns how many it wrote.
func writeZeros(f *os.File, from, to int64) (n int64, err error) {
	for from+n < to {
		wrote, err := f.WriteAt(zeros[:min(int64(len(zeros)), to-from-n)], from+n)
		n += int64(wrote)
		if err != nil {
			return n, err
		}
	}
	return n, nil
}
