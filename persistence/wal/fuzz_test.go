package wal

import (
	"bytes"
	"testing"
)

// FuzzScan scans any bytes as a last segment. Whatever it accepts must be exactly the records of what it yields, with
// room or without, a torn record must have nothing valid behind it, and what is left after the cut must scan clean.
func FuzzScan(f *testing.F) {
	good := records(1, [][]byte{[]byte("first"), make([]byte, 200), []byte("third")})
	f.Add([]byte{}, uint64(1))
	f.Add(good, uint64(1))
	f.Add(good[:len(good)-4], uint64(1))
	f.Add(append(bytes.Clone(good), make([]byte, 600)...), uint64(1))
	f.Add(append(bytes.Clone(good[:len(good)-4]), make([]byte, 600)...), uint64(1))
	f.Add(append(bytes.Clone(good[:40]), good...), uint64(1))
	f.Add(record(1<<63, []byte("x")), uint64(1<<63))
	f.Add([]byte{0x92, 0x80, 0x80, 0x20, 1, 0, 0, 0, 4}, uint64(1))
	f.Fuzz(func(t *testing.T, data []byte, first uint64) {
		payloads, bad := scanBytes(t, data, first)
		valid := records(first, payloads)
		if bad == nil {
			if !bytes.HasPrefix(data, valid) || !allZero(data[len(valid):]) {
				t.Fatalf("accepted %x, which is not %x and room", data, valid)
			}
			return
		}
		if !bytes.Equal(valid, data[:bad.Offset]) {
			t.Fatalf("accepted %x, which is not %x", data[:bad.Offset], valid)
		}
		if !bad.Torn {
			return
		}
		for at := int(bad.Offset) + 1; at < len(data); at++ {
			if frameStarts(data[at:], bad.Index) {
				t.Fatalf("cut off at %d, although a valid frame starts at %d", bad.Offset, at)
			}
		}
		if again, bad := scanBytes(t, data[:bad.Offset], first); bad != nil || len(again) != len(payloads) {
			t.Fatalf("%d entries after the cut, before it %d: %v", len(again), len(payloads), bad)
		}
	})
}

// frameStarts is the plain way to look for the frame of one index.
func frameStarts(b []byte, index uint64) bool {
	if len(b) < minFrame {
		return false
	}
	h := decodeHeader(b)
	end := frameExtra + int64(h.length)
	if h.index != index || h.length == 0 || h.length > MaxPayload || end > int64(len(b)) || !knownVersion(h.version) {
		return false
	}
	_, flaw := checkFrame(h, b[:end])
	return flaw == ""
}
