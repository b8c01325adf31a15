package wal

import (
	"bytes"
	"encoding/hex"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
)

// Golden bytes: a change of the format that reads back what it wrote still breaks every log out there. The
// checksums were worked out by other programs (crc32c of the 13 covered bytes and the payload), not by this
// package.
func TestGoldenRecord(t *testing.T) {
	for _, c := range []struct {
		name    string
		index   uint64
		payload []byte
		want    string
	}{
		{"dense", 0x0102030405060708, []byte("minicrm"), `
			19                       length prefix: 25 bytes of frame
			01                       version, no long zero run
			07 00 00 00              payload length
			08 07 06 05 04 03 02 01  index
			34 10 35 a9              checksum
			6d 69 6e 69 63 72 6d     payload
			ff                       trailer`},
		{"sparse", 300, make([]byte, 128), `
			92 01                    length prefix: 146
			81                       version, 128 zeros or more in a row
			80 00 00 00              payload length
			2c 01 00 00 00 00 00 00  index
			35 b7 01 4e              checksum
			` + strings.Repeat("00 ", 128) + `
			ff                       trailer`},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := unhex(c.want)
			if got := record(c.index, c.payload); !bytes.Equal(got, want) {
				t.Errorf("frame with its prefix\n got %x\nwant %x", got, want)
			}
			payloads, bad := scanBytes(t, want, c.index)
			if bad != nil {
				t.Fatal(bad)
			}
			wantEqual(t, payloads, [][]byte{c.payload})
		})
	}
}

// unhex reads the bytes at the start of each line; a word that is no byte starts a comment.
func unhex(text string) (b []byte) {
	for line := range strings.Lines(text) {
		for _, word := range strings.Fields(line) {
			c, err := hex.DecodeString(word)
			if err != nil || len(word) != 2 {
				break
			}
			b = append(b, c...)
		}
	}
	return b
}

// The file of a closed log holds just that, so the library adds what doc.go says.
func TestLogWritesRecords(t *testing.T) {
	dir := t.TempDir()
	l := mustOpen(t, dir, Options{})
	payloads := somePayloads(20, 400)
	mustAppend(t, l, payloads...)
	mustClose(t, l)
	got, err := os.ReadFile(l.segments[0].Path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, records(1, payloads)) {
		t.Fatal("the file does not hold the records that doc.go describes")
	}
}

func TestLongZeroRun(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		b := bytes.Repeat([]byte{1}, 1+rng.IntN(600))
		for range 1 + rng.IntN(3) {
			from := rng.IntN(len(b))
			clear(b[from:min(len(b), from+100+rng.IntN(60))])
		}
		want := bytes.Contains(b, make([]byte, maxZeroRun+1))
		if got := longZeroRun(b); got != want {
			t.Fatalf("longZeroRun(%x) = %v", b, got)
		}
	}
}

// What the tail rule builds on: no whole sector inside a dense record has fewer than two non-zero bytes, wherever
// it starts.
func TestDenseFrameHasNoZeroSector(t *testing.T) {
	payload := bytes.Repeat(append(make([]byte, maxZeroRun), 1), 20)
	if longZeroRun(payload) {
		t.Fatal("the densest of zeros is not dense")
	}
	for lead := range 128 {
		b := record(1<<40, payload[lead:])
		for from := 1; from+sectorSize < len(b); from++ {
			if nonZero := sectorSize - bytes.Count(b[from:from+sectorSize], []byte{0}); nonZero < 2 {
				t.Fatalf("%d non-zero bytes in the sector at %d", nonZero, from)
			}
		}
	}
}

func TestDecodePrefix(t *testing.T) {
	for _, c := range []struct {
		start    string
		frame, n int
		flaw     string
	}{
		{"13 aa", 19, 1, ""},
		{"80 01 aa", 128, 2, ""},
		{"92 80 80 20", maxFrame, 4, ""},
		{"93 80 80 20", 0, 0, prefixRange},
		{"12", 0, 0, prefixRange},
		{"00", 0, 0, prefixRange},
		{"93 00", 0, 0, prefixForm},
		{"ff ff", 0, 0, prefixCut},
		{"", 0, 0, prefixCut},
		{"ff ff ff ff", 0, 0, prefixLong},
		{"ff ff ff ff ff ff ff ff ff ff 01", 0, 0, prefixLong},
	} {
		frame, n, flaw := decodePrefix(unhex(c.start))
		if frame != c.frame || n != c.n || flaw != c.flaw {
			t.Errorf("%q: %d, %d, %q; want %d, %d, %q", c.start, frame, n, flaw, c.frame, c.n, c.flaw)
		}
	}
}
