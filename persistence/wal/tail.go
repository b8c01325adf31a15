package wal

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

const (
	sectorSize = 512
	tailWindow = 64 << 10 // bytes read at a time

	// maxSearchWork bounds the bytes that the search for valid frames sums up. Only bytes that were made to look
	// like thousands of overlapping frames reach it.
	maxSearchWork = 4 << 30
)

// tail applies the rule of doc.go to the bad record at the end of the last segment: torn or corrupt.
type tail struct {
	r      io.ReaderAt
	size   int64
	offset int64  // of the bad record
	index  uint64 // that was due there
	filled int64  // where the last byte ends that is not zero; offset if there is none
	extent int64  // where what is there of the record ends
	work   int64
}

// judgeTail says whether there is nothing but room. If there is more, it sets Torn of bad, and adds to its reason what
// decided it. Where a torn record may have room behind it, the zeros at its end do not count as left.
func judgeTail(r io.ReaderAt, size int64, bad *CorruptError) (room bool, err error) {
	t := &tail{r: r, size: size, offset: bad.Offset, index: bad.Index}
	torn, why, err := t.judge()
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF // the file is shorter than it was
	}
	if err != nil {
		return false, fmt.Errorf("read %s behind offset %d: %w", bad.File, bad.Offset, err)
	}
	if t.filled == t.offset {
		return true, nil
	}
	if bad.Torn = torn; torn {
		bad.Left = t.extent - t.offset
	}
	bad.Reason += "; " + why
	return false, nil
}

func (t *tail) judge() (torn bool, why string, err error) {
	if t.filled, err = t.findFilled(); err != nil || t.filled == t.offset {
		return false, "", err
	}
	t.extent = t.filled
	found, err := t.findFrame()
	if err != nil || found != "" {
		return false, found, err
	}
	return t.judgeRecord()
}

// judgeRecord decides by the bad record itself, once it is known that nothing valid follows.
func (t *tail) judgeRecord() (torn bool, why string, err error) {
	start := make([]byte, min(t.size-t.offset, maxStart))
	if err := t.read(start, t.offset); err != nil {
		return false, "", err
	}
	frame, prefix, flaw := decodePrefix(start)
	if flaw == prefixCut {
		t.extent = t.size
		return true, "nothing follows", nil
	}
	if flaw != "" {
		return t.judgeZeros(t.size)
	}
	head := start[prefix:]
	end := t.offset + int64(prefix+frame)
	if end > t.size && t.due(head, frame) {
		t.extent = t.size
		return true, "the file ends inside it", nil
	}
	if len(head) > 0 && head[0] != versionDense && head[0] != 0 {
		return false, "zeros in it would prove nothing, by its version", nil
	}
	if end <= t.size {
		complete, err := t.complete(head, frame, t.offset+int64(prefix))
		if err != nil || complete {
			return false, "its checksum says that all of it was written", err
		}
	}
	return t.judgeZeros(min(end, t.size))
}

// due says whether what the file has of the header (maybe not all of it) is what a writer would have put there.
// Were only the prefix believed, one damaged byte could make a complete record look cut off.
func (t *tail) due(head []byte, frame int) bool {
	want := header{length: uint32(frame - frameExtra), index: t.index}.covered()
	n := min(len(head), coveredSize)
	return n == 0 || knownVersion(head[0]) && bytes.Equal(head[1:n], want[1:n])
}

// complete says whether the frame is whole but for its version or its trailer: then a byte was damaged, and none is
// missing.
func (t *tail) complete(head []byte, frame int, at int64) (bool, error) {
	h := decodeHeader(head)
	if int64(h.length) != int64(frame-frameExtra) {
		return false, nil
	}
	for _, version := range []byte{versionDense, versionSparse} {
		h.version = version
		sum, err := t.sum(h, at)
		if err != nil || sum == h.checksum {
			return true, err
		}
	}
	return false, nil
}

// judgeZeros looks for a sector that was never written, in the record that ends at end.
func (t *tail) judgeZeros(end int64) (torn bool, why string, err error) {
	if t.filled > end {
		return false, "it is not the last thing in the file", nil
	}
	var piece [sectorSize]byte
	r := bufio.NewReader(io.NewSectionReader(t.r, t.offset, end-t.offset))
	for at := t.offset; at < end; {
		n := min(sectorSize-at%sectorSize, end-at)
		if _, err := io.ReadFull(r, piece[:n]); err != nil {
			return false, "", err
		}
		if allZero(piece[:n]) {
			return true, fmt.Sprintf("the sector at offset %d was never written", at), nil
		}
		at += n
	}
	return false, "no part of it is missing", nil
}

// findFrame looks at every byte behind the record's first for a valid frame of this or a later index, and describes
// it. The prefix is not asked for: it may be the one byte that is damaged.
func (t *tail) findFrame() (found string, err error) {
	buf := make([]byte, min(tailWindow, t.size-t.offset))
	const step = tailWindow - (headerSize - 1) // a header may lie across two windows
	for base := t.offset + 1; base+minFrame <= t.size; base += step {
		b := buf[:min(tailWindow, t.size-base)]
		if err := t.read(b, base); err != nil {
			return "", err
		}
		for i := 0; i+headerSize <= len(b); i++ {
			if !knownVersion(b[i]) {
				continue
			}
			h, at := decodeHeader(b[i:]), base+int64(i)
			if valid, err := t.valid(h, at); err != nil || valid {
				return fmt.Sprintf("a valid frame of index %d starts at offset %d", h.index, at), err
			}
			if t.work > maxSearchWork {
				return "too much behind it looks like a valid frame", nil
			}
		}
	}
	return "", nil
}

// valid says whether h, read at a place behind the bad record, starts a whole valid frame.
func (t *tail) valid(h header, at int64) (bool, error) {
	last := at + headerSize + int64(h.length) // of the trailer
	most := uint64(t.size-t.offset) / minRecord
	if h.length == 0 || h.length > MaxPayload || last >= t.size || h.index-t.index > most {
		return false, nil
	}
	var end [1]byte
	if err := t.read(end[:], last); err != nil || end[0] != trailer {
		return false, err
	}
	t.work += int64(h.length)
	sum, err := t.sum(h, at)
	return err == nil && sum == h.checksum, err
}

// sum is the checksum of the frame at a place of the file, with h for its header.
func (t *tail) sum(h header, at int64) (uint32, error) {
	sum := h.seed()
	err := t.windows(at+headerSize, at+headerSize+int64(h.length), func(b []byte) bool {
		sum = extend(sum, b)
		return true
	})
	return sum, err
}

// findFilled reads from the record on to the end, so that on a live log it finds what was begun before it looked.
func (t *tail) findFilled() (filled int64, err error) {
	filled = t.offset
	at := t.offset
	err = t.windows(t.offset, t.size, func(b []byte) bool {
		if n := len(bytes.TrimRight(b, "\x00")); n > 0 {
			filled = at + int64(n)
		}
		at += int64(len(b))
		return true
	})
	return filled, err
}

// windows hands out the bytes between two offsets piece by piece, until fn returns false.
func (t *tail) windows(from, to int64, fn func(b []byte) bool) error {
	buf := make([]byte, max(0, min(tailWindow, to-from)))
	for from < to {
		b := buf[:min(int64(len(buf)), to-from)]
		if err := t.read(b, from); err != nil {
			return err
		}
		if !fn(b) {
			return nil
		}
		from += int64(len(b))
	}
	return nil
}

// read fills b. A ReaderAt may report io.EOF along with the last bytes.
func (t *tail) read(b []byte, at int64) error {
	n, err := t.r.ReadAt(b, at)
	if n == len(b) {
		return nil
	}
	return err
}
