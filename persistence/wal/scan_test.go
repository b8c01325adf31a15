package wal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
)

func TestScannerYieldsEntriesAndOffsets(t *testing.T) {
	large := bytes.Repeat([]byte("large"), scanBuffer)
	payloads := append(somePayloads(50, 300), make([]byte, scanBuffer), []byte{7}, large, []byte{8})
	data := records(7, payloads)
	s := NewScanner(iotest.HalfReader(bytes.NewReader(data)), "f", int64(len(data)), 7)
	offset := int64(0)
	for i, want := range payloads {
		e, err := s.Next()
		if err != nil {
			t.Fatal(err)
		}
		if e.File != "f" || e.Index != 7+uint64(i) || e.Offset != offset || !bytes.Equal(e.Payload, want) {
			t.Fatalf("entry number %d: file %s, index %d, offset %d", i, e.File, e.Index, e.Offset)
		}
		offset += int64(len(record(e.Index, want)))
		if s.Offset() != offset {
			t.Fatalf("after entry number %d the scanner is at %d, want %d", i, s.Offset(), offset)
		}
	}
	for range 2 {
		if _, err := s.Next(); !errors.Is(err, io.EOF) {
			t.Fatalf("behind the last entry: %v", err)
		}
	}
}

// On a live file the scanner reads what was there when it was measured, although more has come since.
func TestScannerStopsAtSize(t *testing.T) {
	data := records(1, somePayloads(3, 100))
	size := int64(len(data))
	data = append(data, "half of the next record"...)
	s := NewScanner(bytes.NewReader(data), "f", size, 1)
	for range 3 {
		if _, err := s.Next(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Next(); !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
}

func TestScannerRefuses(t *testing.T) {
	good := record(5, []byte("payload"))
	change := func(at int, to ...byte) []byte {
		b := bytes.Clone(good)
		copy(b[at:], to)
		return b
	}
	resummed := func(h header) []byte {
		b := change(1, func() []byte { c := h.covered(); return c[:] }()...)
		binary.LittleEndian.PutUint32(b[1+coveredSize:], extend(h.seed(), []byte("payload")))
		return b
	}
	for _, c := range []struct {
		name   string
		data   []byte
		reason string
	}{
		{"zero", append(make([]byte, 30), 1), prefixRange},
		{"huge prefix", bytes.Repeat([]byte{0xFF}, 30), prefixLong},
		{"cut", good[:len(good)-1], "it needs 26 bytes and the file has 25"},
		{"cut in the header", good[:9], "it needs 26 bytes and the file has 9"},
		{"prefix only", []byte{0x99}, prefixCut},
		{"version", resummed(header{version: 2, length: 7, index: 5}), "unknown version 0x2"},
		{"length", resummed(header{version: 1, length: 6, index: 5}), "says 6 bytes of payload and its prefix 7"},
		{"index", resummed(header{version: 1, length: 7, index: 6}), "says index 6"},
		{"checksum", change(14, 1, 2, 3, 4), "checksum mismatch"},
		{"payload", change(20, 'X'), "checksum mismatch"},
		{"trailer", change(25, 0xFE), "bad trailer"},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := record(4, []byte("before"))
			data := append(bytes.Clone(before), c.data...)
			payloads, bad := scanBytes(t, data, 4)
			if bad == nil || len(payloads) != 1 {
				t.Fatalf("%d entries, error %v", len(payloads), bad)
			}
			if !strings.Contains(bad.Error(), c.reason) || bad.Offset != int64(len(before)) || bad.Index != 5 {
				t.Fatalf("%v; want it at %d: %s", bad, len(before), c.reason)
			}
		})
	}
}

func TestScannerErrorStays(t *testing.T) {
	data := append(make([]byte, 20), record(1, []byte("x"))...)
	s := NewScanner(bytes.NewReader(data), "f", int64(len(data)), 1)
	_, first := s.Next()
	_, second := s.Next()
	if first == nil || !errors.Is(second, first) {
		t.Fatalf("first %v, then %v", first, second)
	}
}

// A file of 100 bytes must not cost 64 MiB because it says so.
func TestScannerAllocatesNoMoreThanTheFile(t *testing.T) {
	data := binary.AppendUvarint(nil, maxFrame)
	h := header{version: versionDense, length: MaxPayload, index: 1}.covered()
	data = append(data, h[:]...)
	data = append(data, make([]byte, 100)...)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, bad := scanBytes(t, data, 1)
	runtime.ReadMemStats(&after)
	if bad == nil {
		t.Fatal("accepted")
	}
	if n := after.TotalAlloc - before.TotalAlloc; n > 1<<20 {
		t.Fatalf("scanning %d bytes allocated %d", len(data), n)
	}
}

// A file that is shorter than it was measured, and a failing disk, are not corruption.
func TestScannerReadErrors(t *testing.T) {
	data := records(1, [][]byte{[]byte("first"), make([]byte, 2*scanBuffer)})
	for _, have := range []int{0, 3, 23, 24, 30, 1000, len(data) - 1} {
		s := NewScanner(bytes.NewReader(data[:have]), "f", int64(len(data)), 1)
		var err error
		for err == nil {
			_, err = s.Next()
		}
		wantError(t, err, io.ErrUnexpectedEOF, "read f at offset")
	}
	broken := errors.New("broken disk")
	s := NewScanner(iotest.ErrReader(broken), "f", 100, 1)
	_, err := s.Next()
	wantError(t, err, broken)
}
