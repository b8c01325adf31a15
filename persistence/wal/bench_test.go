package wal

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

func BenchmarkAppend(b *testing.B) {
	for _, size := range []int{200, 20 << 10} {
		b.Run(fmt.Sprintf("%dB", size), func(b *testing.B) {
			l := mustOpen(b, b.TempDir(), Options{})
			payload := randomBytes(rand.New(rand.NewPCG(1, 1)), size)
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := l.Append(payload); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkReplay replays 100,000 entries of 200 bytes in segments of the default size, and as many bytes in
// entries of 20 KiB.
func BenchmarkReplay(b *testing.B) {
	for _, c := range []struct{ size, entries int }{{200, 100_000}, {20 << 10, 1000}} {
		b.Run(fmt.Sprintf("%dB", c.size), func(b *testing.B) {
			dir := b.TempDir()
			writeLog(b, dir, c.size, c.entries)
			l := mustOpen(b, dir, Options{})
			b.SetBytes(int64(c.size) * int64(c.entries))
			b.ReportAllocs()
			for b.Loop() {
				n := 0
				if err := l.Replay(func(uint64, []byte) error { n++; return nil }); err != nil || n != c.entries {
					b.Fatalf("%d entries, %v", n, err)
				}
			}
		})
	}
}

// BenchmarkDropBefore drops 50 files, fsyncing after each.
func BenchmarkDropBefore(b *testing.B) {
	dir := b.TempDir()
	const files = 50
	next := uint64(1)
	for b.Loop() {
		b.StopTimer()
		for range files + 1 {
			writeSegment(b, dir, next, record(next, []byte("x")))
			next++
		}
		b.StartTimer()
		if n, err := DropBefore(dir, next-1); err != nil || n < files {
			b.Fatalf("dropped %d, %v", n, err)
		}
	}
}

// writeLog writes the files of a log at once, without an fsync for each entry.
func writeLog(b *testing.B, dir string, size, entries int) {
	b.Helper()
	payload := randomBytes(rand.New(rand.NewPCG(1, 1)), size)
	first, data := uint64(1), []byte(nil)
	for i := range uint64(entries) {
		data = append(data, record(i+1, payload)...)
		if len(data) >= DefaultSegmentSize {
			writeSegment(b, dir, first, data)
			first, data = i+2, data[:0]
		}
	}
	writeSegment(b, dir, first, data)
}
