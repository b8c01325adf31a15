package wal

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// aligned is a segment of two entries, the second of which starts at a multiple of 512 bytes plus align.
func aligned(align int, payload []byte) (data []byte, at int) {
	size := 2*sectorSize + align
	first := record(1, bytes.Repeat([]byte{0xAB}, size-2-frameExtra))
	if len(first) != size {
		panic(fmt.Sprintf("the first record has %d bytes, want %d", len(first), size))
	}
	return append(first, record(2, payload)...), size
}

// tailPayloads are payloads that bring out the cases of the tail rule.
func tailPayloads() map[string][]byte {
	rng := rand.New(rand.NewPCG(3, 4))
	dense := bytes.Repeat(append(make([]byte, maxZeroRun), 1), 9)
	lonely := make([]byte, 1200)
	lonely[600] = 1
	return map[string][]byte{
		"zero byte":           {0},
		"one byte":            {1},
		"short":               randomBytes(rng, 20),
		"ends in zeros":       append(randomBytes(rng, 20), make([]byte, 100)...),
		"nearly zero sectors": dense,
		"zeros":               make([]byte, 1200),
		"one in zeros":        lonely,
	}
}

// The heart of the matter: no single changed byte of a complete last record is read, or cut, wherever the record
// lies, and whether there is room behind it or not.
func TestTailRefusesEveryChangedByte(t *testing.T) {
	for name, payload := range tailPayloads() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for align := range sectorSize {
				data, at := aligned(align, payload)
				if len(payload) > 100 && align%128 > 0 && align < sectorSize-26 && len(data)%sectorSize > 2 {
					continue // of long records, those whose prefix, header or trailer is next to the end of a sector
				}
				inRoom := append(bytes.Clone(data), make([]byte, 1+(align*37)%1500)...)
				for i := at; i < len(data); i++ {
					refuseChanges(t, data, at, i, len(data))
					refuseChanges(t, inRoom, at, i, len(data))
				}
			}
		})
	}
}

// refuseChanges changes the byte at i of data, whose last record starts at at, to several values; in the middle of
// a payload to zero and to the inverse, which is what can matter there; with -wal.full to all. The record ends at end.
func refuseChanges(t *testing.T, data []byte, at, i, end int) {
	t.Helper()
	was := data[i]
	defer func() { data[i] = was }()
	values := []byte{0, ^was}
	if i < at+maxStart+3 || i > end-4 {
		values = append(values, was^1, was^2, was^4, was^8, was^16, was^32, was^64, was^128, versionDense, versionSparse)
	}
	if *full {
		values = values[:0]
		for to := range 256 {
			values = append(values, byte(to))
		}
	}
	for _, to := range values {
		if data[i] = to; to == was {
			continue
		}
		bad := judgeSecond(t, data, at)
		if bad == nil {
			t.Fatalf("record at %d: byte %d changed from %#x to %#x was read", at, i-at, was, to)
		}
		if bad.Torn {
			t.Fatalf("record at %d: byte %d changed from %#x to %#x would be cut: %v", at, i-at, was, to, bad)
		}
	}
}

// judgeSecond checks the record at at, of index 2, as a scan does, but without scanning the first: nil if it is good,
// or there is only room.
func judgeSecond(t *testing.T, data []byte, at int) *CorruptError {
	t.Helper()
	s := NewScanner(bytes.NewReader(data[at:]), "memory", int64(len(data)-at), 2)
	_, err := s.Next()
	if err == nil {
		return nil
	}
	bad, ok := errors.AsType[*CorruptError](err)
	if !ok {
		t.Fatal(err)
	}
	bad.Offset += int64(at)
	room, err := judgeTail(bytes.NewReader(data), int64(len(data)), bad)
	if err != nil {
		t.Fatal(err)
	}
	if room {
		return nil
	}
	return bad
}

func TestTailCutsEveryTruncation(t *testing.T) {
	for name, payload := range tailPayloads() {
		t.Run(name, func(t *testing.T) {
			for _, align := range []int{0, 1, 100, 494, 495, 505, 509, 510, 511} {
				data, at := aligned(align, payload)
				for size := at + 1; size < len(data); size++ {
					if bad := judgeSecond(t, data[:size], at); bad == nil || !bad.Torn {
						t.Fatalf("record at %d, cut off after %d bytes: %v", at, size-at, bad)
					}
				}
			}
		})
	}
}

func TestTailTakesZerosForRoom(t *testing.T) {
	for _, zeros := range []int{1, 511, 512, 4096, tailWindow, 100_000} {
		data, at := aligned(37, []byte("x"))
		data = append(data[:at], make([]byte, zeros)...)
		if bad := judgeSecond(t, data, at); bad != nil {
			t.Fatalf("%d zeros: %v", zeros, bad)
		}
		data = append(data, 1)
		if bad := judgeSecond(t, data, at); zeros < 511 && (bad == nil || bad.Torn) {
			t.Fatalf("%d zeros and a one: %v", zeros, bad)
		}
	}
}

// Sectors that never reached the disk read as zeros: each alone, and many at random.
func TestTailCutsLostSectors(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for _, align := range []int{0, 1, 100, 490, 500, 508} {
		data, at := aligned(align, randomBytes(rng, 9000))
		sectors := (len(data)-1)/sectorSize - at/sectorSize + 1
		for i := range 300 {
			torn := bytes.Clone(data)
			for s := range sectors {
				if i == s || i >= sectors && rng.IntN(4) == 0 {
					loseSector(torn, at, at/sectorSize+s)
				}
			}
			if bytes.Equal(torn, data) {
				continue
			}
			if bad := judgeSecond(t, torn, at); bad == nil || !bad.Torn {
				t.Fatalf("record at %d, damage number %d: %v", at, i, bad)
			}
			short := torn[:at+1+rng.IntN(len(torn)-at)]
			if bad := judgeSecond(t, short, at); bad == nil && !allZero(short[at:]) || bad != nil && !bad.Torn {
				t.Fatalf("record at %d, damage number %d, cut off after %d bytes: %v", at, i, len(short)-at, bad)
			}
		}
	}
}

// loseSector zeroes what a sector of the file holds of the bytes from at on.
func loseSector(data []byte, at, sector int) {
	clear(data[max(at, sector*sectorSize):min(len(data), (sector+1)*sectorSize)])
}

func TestTailRefuses(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	data, at := aligned(200, randomBytes(rng, 3000))
	lost := bytes.Clone(data)
	loseSector(lost, at, at/sectorSize+2)
	badVersion := record(2, randomBytes(rng, 300))[:100]
	badVersion[2] = 0x02
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	flipped := bytes.Clone(data)
	flipped[at+600] ^= 4
	sparse, sparseAt := aligned(200, make([]byte, 3000))
	loseSector(sparse, sparseAt, sparseAt/sectorSize)
	sparse[sparseAt+1000] = 1
	lonelyTrailer, lonelyAt := aligned(sectorSize-3-frameExtra+1, randomBytes(rng, sectorSize))
	lonelyTrailer[len(lonelyTrailer)-1] = 0
	lonelyPrefix, prefixAt := aligned(sectorSize-2, randomBytes(rng, 500))
	clear(lonelyPrefix[prefixAt : prefixAt+2])

	halfThird := record(3, randomBytes(rng, 300))[:100]
	const found = "a valid frame of index %d starts at"
	for _, c := range []struct {
		name string
		data []byte
		at   int
		why  string
	}{
		{"the next record is valid", join(lost, record(3, []byte("next"))), at, fmt.Sprintf(found, 3)},
		{"a later record is valid", join(lost, []byte("garbage"), record(9, []byte("later"))), at, fmt.Sprintf(found, 9)},
		{"its frame is valid behind garbage", join(data[:at], []byte("gar"), data[at:]), at, fmt.Sprintf(found, 2)},
		{"flipped, then zeros", join(flipped, make([]byte, 5000)), at, "no part of it is missing"},
		{"flipped, then a torn record", join(flipped, halfThird), at, "not the last thing"},
		{"lost sector, then a torn record", join(lost, halfThird), at, "not the last thing"},
		{"only the trailer lost", lonelyTrailer, lonelyAt, "its checksum says that all of it was written"},
		{"only the prefix lost", lonelyPrefix, prefixAt, fmt.Sprintf(found, 2)},
		{"garbage", join(data[:at], randomBytes(rng, 700)), at, ""},
		{"short, with another version", join(data[:at], badVersion), at, "by its version"},
		{"short, with another index", join(data[:at], halfThird), at, "no part of it is missing"},
	} {
		t.Run(c.name, func(t *testing.T) {
			bad := judgeSecond(t, c.data, c.at)
			if bad == nil || bad.Torn || !strings.Contains(bad.Reason, c.why) {
				t.Fatalf("%v; want it corrupt: %s", bad, c.why)
			}
		})
	}
}

// Frames of an earlier index, or of one later than the file has room for, prove nothing: they may be in the payload
// of a torn record, as a copy of another log.
func TestTailIgnoresFramesOfOtherLogs(t *testing.T) {
	for _, index := range []uint64{1, 1_000_000} {
		inner := record(index, []byte("a record of another log"))
		data, at := aligned(0, append(inner, bytes.Repeat([]byte{2}, 1000)...))
		if bad := judgeSecond(t, data[:len(data)-1], at); bad == nil || !bad.Torn {
			t.Fatalf("index %d: %v", index, bad)
		}
	}
}

// A valid frame is found at every place, also where its header lies across two windows of the search.
func TestTailFindsFramesAcrossWindows(t *testing.T) {
	frame := appendFrame(nil, 3, []byte("found"))
	for _, window := range []int{1, 2} {
		for shift := -60; shift < 60; shift++ {
			data, at := aligned(0, []byte("x"))
			data = append(data[:at], bytes.Repeat([]byte{0xEE}, window*tailWindow+shift)...)
			data = append(append(data, frame...), 0xEE)
			if bad := judgeSecond(t, data, at); bad == nil || bad.Torn || !strings.Contains(bad.Reason, "index 3 starts") {
				t.Fatalf("frame at %d: %v", len(data)-len(frame)-1, bad)
			}
		}
	}
}

// Bytes made to look like many overlapping frames cost bounded time, and are refused.
func TestTailSearchIsBounded(t *testing.T) {
	data := make([]byte, 0, 4<<20)
	for len(data) < 3<<20 {
		h := header{version: versionDense, length: uint32(4<<20 - 1 - headerSize - len(data)), index: 5}.covered()
		data = append(append(data, h[:]...), 1, 2, 3, 4)
	}
	data = append(data, bytes.Repeat([]byte{0xFF}, cap(data)-len(data))...)
	began := time.Now()
	bad := &CorruptError{File: "f", Index: 5}
	if _, err := judgeTail(bytes.NewReader(data), int64(len(data)), bad); err != nil {
		t.Fatal(err)
	}
	if bad.Torn || !strings.Contains(bad.Reason, "too much behind it") || time.Since(began) > 20*time.Second {
		t.Fatalf("after %v: %v", time.Since(began), bad)
	}
}
