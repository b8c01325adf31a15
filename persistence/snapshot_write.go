package persistence

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
	"google.golang.org/protobuf/encoding/protowire"

	"minicrm/domain"
)

// snapshotWriter writes the blocks of a snapshot.
type snapshotWriter struct {
	ctx      context.Context
	w        io.Writer
	encoder  *zstd.Encoder
	sum      chain
	coder    coder            // the items of the block that grows
	kind     protowire.Number // of that block
	items    int              // in it
	raw, out []byte           // buffers
	bytes    int64            // written
}

func newEncoder() (*zstd.Encoder, error) {
	encoder, err := zstd.NewWriter(nil,
		zstd.WithEncoderLevel(zstd.SpeedFastest),
		zstd.WithEncoderConcurrency(1),
		zstd.WithWindowSize(blockBytes),
		zstd.WithEncoderCRC(false), // the block has one
		zstd.WithLowerEncoderMem(true),
	)
	if err != nil {
		return nil, fmt.Errorf("make a compressor: %w", err)
	}
	return encoder, nil
}

// writeSnapshot writes a whole snapshot, and returns its size.
func writeSnapshot(ctx context.Context, w io.Writer, encoder *zstd.Encoder, f *domain.Frozen, entry uint64) (int64, error) {
	s := &snapshotWriter{ctx: ctx, w: w, encoder: encoder, sum: newChain()}
	h := headerOf(f, entry)
	if err := s.write(fileHead()); err != nil {
		return 0, err
	}
	if err := s.single(blockHeader, &h, header); err != nil {
		return 0, err
	}
	if err := s.entities(f); err != nil {
		return 0, err
	}
	for l := range f.Leads() {
		if err := add(s, blockLeads, l, lead); err != nil {
			return 0, err
		}
	}
	if err := s.contacts(f); err != nil {
		return 0, err
	}
	if err := s.memories(f); err != nil {
		return 0, err
	}
	if err := s.flush(); err != nil {
		return 0, err
	}
	if err := s.single(blockEnd, &h, end); err != nil {
		return 0, err
	}
	return s.bytes, nil
}

// contacts writes the contacts, the names that they mention before them, and what is known of those that were forgotten. A place is only written where it is not
// the next one.
func (s *snapshotWriter) contacts(f *domain.Frozen) error {
	for i := range f.Names {
		if err := add(s, blockNames, &f.Names[i], name); err != nil {
			return err
		}
	}
	var item domain.Contact
	var last uint32
	for n := range f.Contacts() {
		item = *n
		if item.Place == last+1 {
			item.Place = 0
		}
		last = n.Place
		if err := add(s, blockContacts, &item, contact); err != nil {
			return err
		}
	}
	for run := range f.Forgotten() {
		if err := add(s, blockArchived, run, archivedRun); err != nil {
			return err
		}
	}
	return nil
}

// memories writes what is remembered for a while: keys, and trails.
func (s *snapshotWriter) memories(f *domain.Frozen) error {
	for use := range f.Keys() {
		if err := add(s, blockKeys, use, keyUse); err != nil {
			return err
		}
	}
	for part := range f.Trails() {
		if err := add(s, blockTrails, part, trailPart); err != nil {
			return err
		}
	}
	return nil
}

func headerOf(f *domain.Frozen, entry uint64) snapshotHeader {
	h := snapshotHeader{progress: f.Progress, entry: entry, counts: counts{
		operators: len(f.Operators), sources: len(f.Sources), leads: f.LeadCount, contacts: f.ContactCount(),
		names: len(f.Names), keys: f.KeyCount(),
	}}
	for range f.Forgotten() {
		h.counts.archived++
	}
	for range f.Trails() {
		h.counts.trails++
	}
	return h
}

func (s *snapshotWriter) entities(f *domain.Frozen) error {
	for i := range f.Operators {
		if err := add(s, blockOperators, &f.Operators[i], operator); err != nil {
			return err
		}
	}
	for i := range f.Sources {
		if err := add(s, blockSources, &f.Sources[i], frozenSource); err != nil {
			return err
		}
	}
	return nil
}

// add puts an item into the block of its kind. It only reads the item.
func add[T any](s *snapshotWriter, kind protowire.Number, item *T, walk func(*coder, *T)) error {
	if s.kind != kind || s.items == blockItems || len(s.coder.buf) >= blockBytes {
		if err := s.flush(); err != nil {
			return err
		}
	}
	s.kind = kind
	s.items++
	message(&s.coder, fieldItems, item, walk)
	return nil
}

// flush ends the block of items, if there is one.
func (s *snapshotWriter) flush() error {
	if s.items == 0 {
		return nil
	}
	err := s.block(s.kind, s.coder.buf)
	s.items, s.coder.buf = 0, s.coder.buf[:0]
	return err
}

// single writes a block that is one message.
func (s *snapshotWriter) single(kind protowire.Number, h *snapshotHeader, walk func(*coder, *snapshotHeader)) error {
	var c coder
	walk(&c, h)
	return s.block(kind, c.buf)
}

// block compresses and writes a block with this content. It is where a writer that is not wanted any more stops.
func (s *snapshotWriter) block(kind protowire.Number, content []byte) error {
	if err := s.ctx.Err(); err != nil {
		return err
	}
	s.raw = protowire.AppendTag(s.raw[:0], kind, protowire.BytesType)
	s.raw = protowire.AppendBytes(s.raw, content)
	if len(s.raw) > maxBlock {
		return fmt.Errorf("a block has %d bytes, and at most %d can be read", len(s.raw), maxBlock)
	}
	s.out = s.encoder.EncodeAll(s.raw, append(s.out[:0], make([]byte, blockHeadSize)...))
	data := s.out[blockHeadSize:]
	sizes := lengths(len(data), len(s.raw))
	s.sum = s.sum.next(sizes, data)
	copy(s.out, sizes[:])
	binary.LittleEndian.PutUint32(s.out[len(sizes):], uint32(s.sum))
	return s.write(s.out)
}

func (s *snapshotWriter) write(b []byte) error {
	n, err := s.w.Write(b)
	s.bytes += int64(n)
	if err == nil && n < len(b) {
		err = io.ErrShortWrite
	}
	return err
}
