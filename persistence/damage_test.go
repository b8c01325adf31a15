package persistence

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"runtime"
	"testing"

	"minicrm/domain"
)

// TestEveryByteOfASnapshotCounts: whatever byte is changed, and wherever the file is cut, it is refused.
func TestEveryByteOfASnapshotCounts(t *testing.T) {
	file := smallSnapshot(t)
	refused := func(what string, at int, b []byte) {
		t.Helper()
		_, _, err := readSnapshot(bytes.NewReader(b), int64(len(b)), func(int64) {})
		if !errors.Is(err, errDamaged) {
			t.Fatalf("%s at %d: %v", what, at, err)
		}
	}
	for at := range file {
		refused("cut", at, file[:at])
		b := bytes.Clone(file)
		b[at] ^= 1 << (at % 8)
		refused("flipped", at, b)
		b[at] = file[at] + 1
		refused("added", at, b)
	}
	refused("grown", len(file), append(bytes.Clone(file), 0))
	refused("doubled", len(file), append(bytes.Clone(file), file[fileHeadSize:]...))
}

// TestFallback: with a snapshot damaged anywhere, the one before it and the journal give the same state.
func TestFallback(t *testing.T) {
	dir := memoryDir(t)
	rng := rand.New(rand.NewPCG(5, 5))
	r := start(t, dir, rng, Options{SegmentSize: 1 << 10})
	for range 4 {
		for range 5 {
			r.work(t, 10)
		}
		snapshotNow(t, r)
	}
	r.work(t, 10)
	must(t, r.Close())
	files, err := Snapshots(dir)
	must(t, err)
	newest := files[len(files)-1].Path
	whole, err := os.ReadFile(newest)
	must(t, err)
	for at := 0; at < len(whole); at += max(1, len(whole)/50) {
		b := bytes.Clone(whole)
		b[at] ^= 0x10
		must(t, os.WriteFile(newest, b, fileMode))
		again := start(t, dir, rng, Options{SegmentSize: 1 << 10})
		mustEqual(t, "fallen back", again.catalog, r.catalog)
		if again.Snapshotted() != files[0].Index {
			t.Fatalf("recovered from the snapshot of record %d", again.Snapshotted())
		}
		must(t, again.Close())
	}
}

func snapshotNow(t testing.TB, r *running) SnapshotInfo {
	t.Helper()
	frozen, entry := roll(t, r)
	info, err := r.WriteSnapshot(context.Background(), frozen, entry)
	must(t, err)
	return info
}

// TestHostileNumbers: nor are numbers in a snapshot that is whole.
func TestHostileNumbers(t *testing.T) {
	encoder, err := newEncoder()
	must(t, err)
	c := domain.NewCatalog()
	h := newHistory(rand.New(rand.NewPCG(9, 9)), c)
	for range 60 {
		h.step()
	}
	must(t, applyAll(c, h.take()))
	for name, forge := range map[string]func(*domain.Progress){
		"places":       func(p *domain.Progress) { p.Places = 1<<32 - 1 },
		"next contact": func(p *domain.Progress) { p.NextContact = 1 << 60 },
	} {
		f := c.Freeze()
		forge(&f.Progress)
		var b bytes.Buffer
		_, err := writeSnapshot(t.Context(), &b, encoder, f, c.Index())
		must(t, err)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, _, err = readSnapshot(&b, int64(b.Len()), func(int64) {})
		runtime.ReadMemStats(&after)
		if got := after.TotalAlloc - before.TotalAlloc; !errors.Is(err, errDamaged) || got > 100<<20 {
			t.Errorf("%s: %v, after %d MB", name, err, got>>20)
		}
	}
}

// TestHostileLengths: a length is no reason to reserve memory.
func TestHostileLengths(t *testing.T) {
	head := fileHead()
	for _, lengths := range [][8]byte{lengths(1<<31, 1), lengths(1, 1<<31), lengths(0, 1), lengths(1, 0), lengths(maxCompressed, maxBlock)} {
		b := append(append(bytes.Clone(head), lengths[:]...), 0, 0, 0, 0, 1, 2, 3)
		if allocated := testing.AllocsPerRun(1, func() {
			_ = frames(bytes.NewReader(b), int64(len(b)), func(n int) []byte {
				t.Errorf("room for %d bytes was asked for", n)
				return make([]byte, n)
			}, func(frame) error { return nil })
		}); allocated > 50 {
			t.Errorf("%d allocations", int(allocated))
		}
	}
}

// TestTextsDoNotKeepBlocks: a text is a copy of its own, so that forgetting a contact frees it.
func TestTextsDoNotKeepBlocks(t *testing.T) {
	var c coder
	message(&c, fieldItems, &domain.Contact{ID: 1, Text: "a text"}, contact)
	r := coder{reading: true, buf: c.buf, end: len(c.buf)}
	var all []domain.Contact
	repeated(&r, fieldItems, &all, contact)
	clear(c.buf)
	if len(all) != 1 || all[0].Text != "a text" {
		t.Errorf("read %+v", all)
	}
}
