package persistence

import (
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"

	"minicrm/domain"
)

// decoded is a block, or why it is none.
type decoded struct {
	block *block
	end   int64 // where it ends in the file
	err   error
}

// readSnapshot builds the catalog of a snapshot: blocks are decoded in parallel and applied in order. An error that is
// no errDamaged is one of the disk. read hears how many bytes were read.
func readSnapshot(r io.Reader, size int64, read func(bytes int64)) (*domain.Catalog, snapshotHeader, error) {
	decoder, err := newDecoder()
	if err != nil {
		return nil, snapshotHeader{}, err
	}
	defer decoder.Close()
	var spare pool
	b := &builder{}
	err = inOrder(
		func(emit func(frame) error) error { return frames(r, size, spare.take, emit) },
		func(f frame) decoded {
			d := decodeFrame(decoder, f, &spare)
			spare.put(f.data)
			return d
		},
		func(d decoded) error {
			if d.err == nil {
				d.err = b.add(d.block)
			}
			if d.err != nil {
				return d.err
			}
			read(d.end)
			return nil
		},
	)
	if err == nil {
		err = b.complete()
	}
	if err != nil {
		return nil, snapshotHeader{}, err
	}
	return b.catalog, b.header, nil
}

func newDecoder() (*zstd.Decoder, error) {
	decoder, err := zstd.NewReader(nil,
		zstd.WithDecoderConcurrency(0), // as many as there are processors
		zstd.WithDecoderMaxMemory(maxBlock),
		zstd.WithDecodeAllCapLimit(true),
	)
	if err != nil {
		return nil, fmt.Errorf("make a decompressor: %w", err)
	}
	return decoder, nil
}

func decodeFrame(decoder *zstd.Decoder, f frame, spare *pool) (d decoded) {
	d.end = f.offset + blockHeadSize + int64(len(f.data))
	raw, err := decoder.DecodeAll(f.data, spare.take(f.raw)[:0])
	if err != nil {
		d.err = damaged("the block at offset %d: decompress: %w", f.offset, err)
		return d
	}
	defer spare.put(raw)
	if len(raw) != f.raw {
		d.err = damaged("the block at offset %d has %d bytes uncompressed instead of %d", f.offset, len(raw), f.raw)
		return d
	}
	d.block = &block{}
	c := coder{reading: true, buf: raw, end: len(raw)}
	if readBlock(&c, d.block); c.err != nil {
		d.err = damaged("the block at offset %d: decode: %w", f.offset, c.err)
	}
	return d
}

// builder puts a catalog together from blocks, in order.
type builder struct {
	header    snapshotHeader
	last      block // the kind of the last one
	have      counts
	operators []domain.Operator
	sources   []domain.FrozenSource
	catalog   *domain.Catalog
}

func (b *builder) add(next *block) error {
	repeats := next.kind == b.last.kind && next.kind != blockHeader && next.kind != blockEnd
	if blockOrder(next.kind) <= blockOrder(b.last.kind) && !repeats || b.last.kind == 0 && next.kind != blockHeader {
		return damaged("a block of kind %d follows one of kind %d", next.kind, b.last.kind)
	}
	b.last.kind = next.kind
	switch next.kind {
	case blockHeader:
		b.header = next.header
		// Each place was given to a contact. A gap between places takes memory, so it is not made for nothing.
		if places, n := int64(b.header.progress.Places), b.header.counts; places > int64(n.contacts)+int64(n.archived)*domain.MaxRun {
			return damaged("it has %d places for %+v", places, n)
		}
	case blockOperators:
		b.operators = append(b.operators, next.operators...)
		b.have.operators += len(next.operators)
	case blockSources:
		b.sources = append(b.sources, next.sources...)
		b.have.sources += len(next.sources)
	case blockEnd:
		return b.finish(next.header.counts)
	default:
		return b.fill(next)
	}
	return nil
}

// thaw begins the catalog, once all operators and sources are there.
func (b *builder) thaw() (err error) {
	if b.catalog != nil {
		return nil
	}
	if b.catalog, err = domain.Thaw(b.header.progress, b.operators, b.sources); err != nil {
		return damaged("it cannot be: %w", err)
	}
	return nil
}

func (b *builder) fill(next *block) error {
	if err := b.thaw(); err != nil {
		return err
	}
	c := b.catalog
	if err := errors.Join(
		fillWith(next.leads, &b.have.leads, c.AddLead),
		fillWith(next.names, &b.have.names, c.AddName),
		fillWith(next.contacts, &b.have.contacts, c.AddContact),
		fillWith(next.archived, &b.have.archived, c.AddArchived),
		fillWith(next.keys, &b.have.keys, c.AddKey),
		fillWith(next.trails, &b.have.trails, c.AddTrail),
	); err != nil {
		return damaged("it cannot be: %w", err)
	}
	return nil
}

// fillWith adds the items of a block, and counts them.
func fillWith[T any](items []T, have *int, add func(T) error) error {
	for i := range items {
		if err := add(items[i]); err != nil {
			return err
		}
	}
	*have += len(items)
	return nil
}

func (b *builder) finish(says counts) error {
	if b.have != says || b.have != b.header.counts {
		return damaged("it has %+v, its end says %+v and its beginning %+v", b.have, says, b.header.counts)
	}
	if err := b.thaw(); err != nil {
		return err
	}
	if err := b.catalog.Settle(); err != nil {
		return damaged("it cannot be: %w", err)
	}
	return nil
}

func (b *builder) complete() error {
	if b.last.kind != blockEnd {
		return damaged("the file ends before the snapshot does")
	}
	return nil
}
