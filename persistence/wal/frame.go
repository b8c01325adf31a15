package wal

import (
	"encoding/binary"
	"hash/crc32"
)

// MaxPayload is the size of the largest payload, in bytes.
const MaxPayload = 64 << 20

// Sizes of a record's parts; the byte diagram is in doc.go.
const (
	coveredSize = 1 + 4 + 8       // version, length and index: the part of the header that the checksum covers
	headerSize  = coveredSize + 4 // and the checksum itself
	frameExtra  = headerSize + 1  // all of a frame but its payload
	minFrame    = frameExtra + 1
	maxFrame    = frameExtra + MaxPayload
	maxPrefix   = 4 // the uvarint of maxFrame
	maxStart    = maxPrefix + headerSize
	minRecord   = 1 + minFrame
)

const (
	versionDense  byte = 0x01 // no zero run in the payload is longer than maxZeroRun
	versionSparse byte = 0x81 // one is
	trailer       byte = 0xFF

	// maxZeroRun is small enough that each whole sector within a dense record holds two non-zero bytes or more.
	maxZeroRun = 127
)

// header is the fixed first part of a frame.
type header struct {
	version  byte
	length   uint32
	index    uint64
	checksum uint32
}

// newHeader fills in all but the checksum.
func newHeader(index uint64, payload []byte) header {
	h := header{version: versionDense, length: uint32(len(payload)), index: index}
	if longZeroRun(payload) {
		h.version = versionSparse
	}
	return h
}

// covered are the header's bytes that the checksum covers.
func (h header) covered() [coveredSize]byte {
	var b [coveredSize]byte
	b[0] = h.version
	binary.LittleEndian.PutUint32(b[1:], h.length)
	binary.LittleEndian.PutUint64(b[5:], h.index)
	return b
}

// seed is the checksum of the header; going on from it over the payload gives the checksum of the frame.
func (h header) seed() uint32 {
	b := h.covered()
	return extend(0, b[:])
}

func extend(sum uint32, b []byte) uint32 {
	return crc32.Update(sum, crc32.MakeTable(crc32.Castagnoli), b)
}

func decodeHeader(b []byte) header {
	return header{
		version:  b[0],
		length:   binary.LittleEndian.Uint32(b[1:]),
		index:    binary.LittleEndian.Uint64(b[5:]),
		checksum: binary.LittleEndian.Uint32(b[coveredSize:]),
	}
}

func knownVersion(v byte) bool { return v == versionDense || v == versionSparse }

// appendFrame appends the frame of a payload to dst.
func appendFrame(dst []byte, index uint64, payload []byte) []byte {
	at := len(dst)
	covered := newHeader(index, payload).covered()
	dst = append(dst, covered[:]...)
	dst = binary.LittleEndian.AppendUint32(dst, extend(extend(0, dst[at:]), payload))
	dst = append(dst, payload...)
	return append(dst, trailer)
}

// The ways in which a length prefix is bad.
const (
	prefixCut   = "the file ends inside the length prefix"
	prefixLong  = "the length prefix does not end"
	prefixRange = "the length prefix is out of range"
	prefixForm  = "the length prefix is not in its shortest form"
)

// decodePrefix reads the library's length prefix from the first bytes of a record: the length of the frame, and of
// the prefix itself. flaw says what is wrong with it.
func decodePrefix(start []byte) (frame, n int, flaw string) {
	v, n := binary.Uvarint(start[:min(len(start), maxPrefix)])
	switch {
	case n <= 0 && len(start) < maxPrefix:
		return 0, 0, prefixCut
	case n <= 0:
		return 0, 0, prefixLong
	case v < minFrame || v > maxFrame:
		return 0, 0, prefixRange
	case n > 1 && start[n-1] == 0:
		return 0, 0, prefixForm
	}
	return int(v), n, ""
}

// longZeroRun says whether more than maxZeroRun zeros follow each other. Such a run covers one of every
// maxZeroRun+1 bytes, so only these are looked at first.
func longZeroRun(b []byte) bool {
	for i := maxZeroRun; i < len(b); i += maxZeroRun + 1 {
		if b[i] != 0 {
			continue
		}
		from, to := i, i+1
		for from > 0 && b[from-1] == 0 && i-from < maxZeroRun {
			from--
		}
		for to < len(b) && b[to] == 0 && to-from <= maxZeroRun {
			to++
		}
		if to-from > maxZeroRun {
			return true
		}
	}
	return false
}

// allZero says whether b holds nothing but zeros.
func allZero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}
