package wal

import (
	"bufio"
	"errors"
	"fmt"
	"io"
)

// scanBuffer holds a record of usual size, so that it is checked where it was read; a larger one gets a buffer of
// its own, never larger than what is left of the file.
const scanBuffer = 256 << 10

// Entry is one entry of the log as it was found in a file.
type Entry struct {
	File    string
	Offset  int64 // of its record in the file
	Index   uint64
	Payload []byte // valid until the next call
}

// CorruptError says that the bytes at Offset are not the record that is due there.
type CorruptError struct {
	File   string
	Offset int64
	Index  uint64 // of the entry that was due
	Reason string
	Left   int64 // bytes of the file from Offset to its end
	Torn   bool  // an append that did not finish (doc.go): Open cuts it, and on a live log it may be under way
}

func (e *CorruptError) Error() string {
	what := "corrupt"
	if e.Torn {
		what = "torn"
	}
	return fmt.Sprintf("%s: %s record at offset %d, index %d: %s", e.File, what, e.Offset, e.Index, e.Reason)
}

// Scanner reads the entries of one segment and trusts no byte of it. It needs no Log, so it may read a file that is
// being appended to.
type Scanner struct {
	r      *bufio.Reader
	file   string
	size   int64
	offset int64  // of the next record
	index  uint64 // of the next record
	unread int    // bytes of the last record that are still in r
	large  []byte
	err    error // the first error, for good
}

// NewScanner scans the first size bytes of r. first is the index of the first entry, file the name for errors.
func NewScanner(r io.Reader, file string, size int64, first uint64) *Scanner {
	buffer := int(max(maxStart, min(size, scanBuffer)))
	return &Scanner{r: bufio.NewReaderSize(r, buffer), file: file, size: size, index: first}
}

// Offset is where the last record ended.
func (s *Scanner) Offset() int64 { return s.offset }

// Next returns the next entry, io.EOF behind the last one, or a *CorruptError.
func (s *Scanner) Next() (Entry, error) {
	if s.err != nil {
		return Entry{}, s.err
	}
	e, err := s.read()
	if err != nil {
		s.err = err
		return Entry{}, err
	}
	s.index++
	return e, nil
}

func (s *Scanner) read() (Entry, error) {
	if _, err := s.r.Discard(s.unread); err != nil {
		return Entry{}, s.readError(err)
	}
	s.unread = 0
	left := s.size - s.offset
	if left <= 0 {
		return Entry{}, io.EOF
	}
	start, err := s.r.Peek(int(min(left, maxStart)))
	if err != nil {
		return Entry{}, s.readError(err)
	}
	h, prefix, flaw := checkStart(start, left, s.index)
	if flaw != "" {
		return Entry{}, s.corrupt(flaw)
	}
	record, err := s.take(prefix + frameExtra + int(h.length))
	if err != nil {
		return Entry{}, s.readError(err)
	}
	payload, flaw := checkFrame(h, record[prefix:])
	if flaw != "" {
		return Entry{}, s.corrupt(flaw)
	}
	e := Entry{File: s.file, Offset: s.offset, Index: s.index, Payload: payload}
	s.offset += int64(len(record))
	return e, nil
}

// checkStart reads prefix and header of a record, of which start holds what the file has. On success the whole
// record lies within the left bytes of the file, so it is safe to make room for it.
func checkStart(start []byte, left int64, index uint64) (h header, prefix int, flaw string) {
	frame, prefix, flaw := decodePrefix(start)
	if flaw != "" {
		return header{}, 0, flaw
	}
	if int64(prefix+frame) > left {
		return header{}, 0, fmt.Sprintf("it needs %d bytes and the file has %d", prefix+frame, left)
	}
	h = decodeHeader(start[prefix:])
	switch {
	case !knownVersion(h.version):
		flaw = fmt.Sprintf("unknown version %#x", h.version)
	case int64(h.length) != int64(frame-frameExtra):
		flaw = fmt.Sprintf("its header says %d bytes of payload and its prefix %d", h.length, frame-frameExtra)
	case h.index != index:
		flaw = fmt.Sprintf("its header says index %d", h.index)
	}
	return h, prefix, flaw
}

// checkFrame checks all of a frame that checkStart left open.
func checkFrame(h header, frame []byte) (payload []byte, flaw string) {
	payload = frame[headerSize : len(frame)-1]
	switch {
	case extend(extend(0, frame[:coveredSize]), payload) != h.checksum:
		return nil, "checksum mismatch"
	case frame[len(frame)-1] != trailer:
		return nil, "bad trailer"
	}
	return payload, ""
}

// take returns the next n bytes, in place if they fit there.
func (s *Scanner) take(n int) ([]byte, error) {
	if n <= s.r.Size() {
		s.unread = n
		return s.r.Peek(n)
	}
	if cap(s.large) < n {
		s.large = make([]byte, n)
	}
	s.large = s.large[:n]
	_, err := io.ReadFull(s.r, s.large)
	return s.large, err
}

func (s *Scanner) corrupt(reason string) error {
	return &CorruptError{File: s.file, Offset: s.offset, Index: s.index, Reason: reason, Left: s.size - s.offset}
}

// readError is for reads within size: their end of file means that the file is shorter than it was.
func (s *Scanner) readError(err error) error {
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("read %s at offset %d: %w", s.file, s.offset, err)
}
