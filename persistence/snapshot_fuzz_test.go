package persistence

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"github.com/klauspost/compress/zstd"

	"minicrm/domain"
)

// FuzzReadSnapshot reads any bytes as a file, and as the blocks of a file whose checksums are right: never a panic, and
// what is read is a state that does not contradict itself, can be asked and started from, and is read again from its own
// bytes.
func FuzzReadSnapshot(f *testing.F) {
	file := smallSnapshot(f)
	f.Add(file)
	f.Add(unsealed(f, file))
	encoder, err := newEncoder()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if !moderate(b) {
			return
		}
		for _, file := range [][]byte{b, sealed(encoder, b)} {
			c, _, err := readSnapshot(bytes.NewReader(file), int64(len(file)), func(int64) {})
			if err != nil {
				continue
			}
			if err := c.Check(); err != nil {
				t.Fatalf("read without an error, but %v", err)
			}
			use(c)
			again := writtenSnapshot(t, c)
			same, _, err := readSnapshot(bytes.NewReader(again), int64(len(again)), func(int64) {})
			if err == nil {
				err = same.Same(c)
			}
			if err != nil {
				t.Fatalf("written and read again: %v", err)
			}
		}
	})
}

// moderate says that a file of such blocks is of no more ids and places than a test has memory for. They are the two
// numbers that a reader has to believe: ids that nobody has, and places of what was forgotten, are not in the file.
func moderate(b []byte) bool {
	if len(b) < 2 {
		return true
	}
	raw := b[2:min(2+int(binary.LittleEndian.Uint16(b)), len(b))]
	var first block
	c := coder{reading: true, buf: raw, end: len(raw)}
	readBlock(&c, &first)
	p := first.header.progress
	return c.err != nil || p.NextContact < 1<<24 && p.Places < 1<<24
}

// use does what a server does with a state that it has read.
func use(c *domain.Catalog) {
	floor := domain.NewFloor(func(domain.Record) {}, func(error) {})
	floor.Seat(c.Seatings(floor.Shown, floor.Heads)...)
	for _, d := range c.Desks(floor.For) {
		d.Resume()
	}
	_ = c.Registry()
	f := c.Freeze()
	for _, s := range f.Sources {
		if tally, there := c.Tally(s.Source.ID, 0); there {
			tally.Count()
		}
		if p, there := c.Preview(s.Source.ID); there {
			p.Next(10)
		}
	}
	for n := range f.Contacts() {
		n.History()
		_, _ = c.Decision(n.ID)
	}
}

// smallSnapshot is the snapshot of a short real history. Its seed was looked for: features lists what it has.
func smallSnapshot(t testing.TB) []byte {
	c := domain.NewCatalog()
	h := newHistory(rand.New(rand.NewPCG(1348, 1348)), c)
	for range 160 {
		h.step()
	}
	if err := applyAll(c, h.take()); err != nil {
		t.Fatal(err)
	}
	return writtenSnapshot(t, c)
}

func writtenSnapshot(t testing.TB, c *domain.Catalog) []byte {
	encoder, err := newEncoder()
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if _, err := writeSnapshot(t.Context(), &b, encoder, c.Freeze(), c.Index()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// unsealed is the content of a file's blocks, each behind its length.
func unsealed(t testing.TB, file []byte) (b []byte) {
	decoder, err := newDecoder()
	if err != nil {
		t.Fatal(err)
	}
	defer decoder.Close()
	err = frames(bytes.NewReader(file), int64(len(file)), func(n int) []byte { return make([]byte, n) }, func(f frame) error {
		raw, err := decoder.DecodeAll(f.data, make([]byte, 0, f.raw))
		b = append(binary.LittleEndian.AppendUint16(b, uint16(len(raw))), raw...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// sealed is the file of such blocks.
func sealed(encoder *zstd.Encoder, b []byte) []byte {
	file, sum := fileHead(), newChain()
	for len(b) > 2 {
		n := min(int(binary.LittleEndian.Uint16(b)), len(b)-2)
		data := encoder.EncodeAll(b[2:2+n], nil)
		head := lengths(len(data), n)
		sum = sum.next(head, data)
		file = append(file, head[:]...)
		file = binary.LittleEndian.AppendUint32(file, uint32(sum))
		file = append(file, data...)
		b = b[2+n:]
	}
	return file
}

// Catches: a seed of the fuzz target that is not what it should be, so that fuzzing proves nothing.
func TestSealedIsASnapshot(t *testing.T) {
	file := smallSnapshot(t)
	encoder, err := newEncoder()
	if err != nil {
		t.Fatal(err)
	}
	again := sealed(encoder, unsealed(t, file))
	if _, _, err := readSnapshot(bytes.NewReader(again), int64(len(again)), func(int64) {}); err != nil {
		t.Errorf("unsealed and sealed again: %v", err)
	}
}

// Catches: a snapshot of a source that has lost its last link, which differed from the state that it is of.
func TestSnapshotIsTheSame(t *testing.T) {
	c := domain.NewCatalog()
	h := newHistory(rand.New(rand.NewPCG(5, 5)), c)
	for range 400 {
		h.step()
	}
	id := domain.SourceID(len(h.desks) + 1)
	h.commit(&domain.SourceCreated{ID: id, Name: "without links", Backlog: domain.BacklogAuto},
		&domain.LinkSet{Source: id, Operator: h.operators[0], Weight: 1}, &domain.LinkRemoved{Source: id, Operator: h.operators[0]})
	if err := applyAll(c, h.take()); err != nil {
		t.Fatal(err)
	}
	file := writtenSnapshot(t, c)
	back, _, err := readSnapshot(bytes.NewReader(file), int64(len(file)), func(int64) {})
	if err == nil {
		err = back.Same(c)
	}
	if err != nil {
		t.Error(err)
	}
}
