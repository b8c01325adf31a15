package persistence

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
)

// Bounds of a frame, which no damaged length may pass: a write has about 4 MiB of text, and JSON may write a byte as six.
const (
	maxFrame      = 64 << 20
	zstdMagicSize = 4
	sectorSize    = 512
)

var (
	errTorn     = errors.New("the frame is cut off")
	errReadFile = errors.New("read")
	zstdMagic   = []byte{0x28, 0xb5, 0x2f, 0xfd}
)

// archiveFrames hands over each frame of a file and what it has, and returns where the last whole one ends. What an append
// left that did not finish is passed over; anything else that is no frame is an error.
func archiveFrames(file io.ReaderAt, size int64, each func(frame, lines []byte) error) (end int64, err error) {
	decoder, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxFrame))
	if err != nil {
		return 0, err
	}
	defer decoder.Close()
	for end < size {
		frame, bad := readZstdFrame(file, end, size)
		var lines []byte
		if bad == nil {
			lines, bad = decoder.DecodeAll(frame, nil)
		}
		if bad != nil {
			return end, onlyTorn(file, end, size, bad)
		}
		if err := each(frame, lines); err != nil {
			return end, err
		}
		end += int64(len(frame))
	}
	return end, nil
}

// onlyTorn is nil when bad bytes are what an append left that did not finish: they are the last thing in the file, and it
// ends inside the frame, or a sector was never written. (No frame has so many zeros: JSON has none.) A frame that is all
// there and wrong was damaged: its contacts may have been forgotten.
func onlyTorn(file io.ReaderAt, at, size int64, bad error) error {
	if errors.Is(bad, errReadFile) {
		return bad
	}
	if size-at > maxFrame {
		return fmt.Errorf("the frame at offset %d is damaged, and it is not the last: %w", at, bad)
	}
	rest := make([]byte, size-at)
	if err := readAt(file, rest, at); err != nil {
		return err
	}
	if len(rest) > zstdMagicSize && bytes.Contains(rest[1:], zstdMagic) {
		return fmt.Errorf("the frame at offset %d is damaged, and another follows: %w", at, bad)
	}
	if errors.Is(bad, errTorn) || lacksSector(rest, at) {
		return nil
	}
	return fmt.Errorf("the frame at offset %d is all there, and damaged: %w", at, bad)
}

// lacksSector says whether bytes that begin at an offset of a file have a sector's worth of zeros, or all of what they have
// of a sector.
func lacksSector(b []byte, at int64) bool {
	for len(b) > 0 {
		n := min(sectorSize-at%sectorSize, int64(len(b)))
		if len(bytes.Trim(b[:n], "\x00")) == 0 {
			return true
		}
		b, at = b[n:], at+n
	}
	return false
}

// readZstdFrame reads one frame. Nothing in it says how long it is, so its blocks are walked (RFC 8878, section 3.1.1).
func readZstdFrame(file io.ReaderAt, at, size int64) ([]byte, error) {
	head := make([]byte, min(zstd.HeaderMaxSize, size-at))
	if err := readAt(file, head, at); err != nil {
		return nil, err
	}
	var h zstd.Header
	if err := h.Decode(head); errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, errTorn
	} else if err != nil {
		return nil, err
	}
	if h.Skippable {
		return nil, fmt.Errorf("a skippable frame, which is not ours")
	}
	n := int64(h.HeaderSize)
	for last := false; !last; {
		var b [3]byte
		switch {
		case n > maxFrame:
			return nil, fmt.Errorf("a frame of more than %d bytes, which is not ours", maxFrame)
		case at+n+3 > size:
			return nil, errTorn
		}
		if err := readAt(file, b[:], at+n); err != nil {
			return nil, err
		}
		block := uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16
		last = block&1 == 1
		length := int64(block >> 3)
		if block>>1&3 == 1 { // one byte, repeated
			length = 1
		}
		n += 3 + length
	}
	if h.HasCheckSum {
		n += 4
	}
	if at+n > size {
		return nil, errTorn
	}
	frame := make([]byte, n)
	return frame, readAt(file, frame, at)
}

// readAt fills b. Its error says that the file could not be read, which says nothing of what is in it.
func readAt(file io.ReaderAt, b []byte, at int64) error {
	if n, err := file.ReadAt(b, at); n < len(b) {
		return fmt.Errorf("%w at offset %d: %w", errReadFile, at, err)
	}
	return nil
}
