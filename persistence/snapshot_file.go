package persistence

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

// The frame of a snapshot file; DESIGN.md draws it. Each block's checksum goes on from that of the block before it, so
// a block that was lost, repeated, moved or taken from another snapshot is noticed too.

const (
	snapshotMagic   = "MCRMSNAP"
	snapshotVersion = 1

	fileHeadSize  = len(snapshotMagic) + 4
	blockHeadSize = 12

	// blockItems and blockBytes are where the writer ends a block: small enough that many can be decoded at once.
	blockItems = 4096
	blockBytes = 256 << 10

	// maxBlock is the size of the largest block that is written or read, before compression, and with slack after it:
	// no damaged or hostile length makes a reader reserve more. A block has one item more than blockBytes at most, and
	// the largest item, a contact with all the past that it may have, about 650 KB (TestLargestItemsFit).
	maxBlock      = 4 << 20
	maxCompressed = maxBlock + maxBlock/64 + 64
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// errDamaged marks bytes that are not a snapshot of ours, or no longer.
var errDamaged = errors.New("damaged")

func damaged(format string, args ...any) error {
	return fmt.Errorf("%w: %w", errDamaged, fmt.Errorf(format, args...))
}

func fileHead() []byte {
	return binary.LittleEndian.AppendUint32([]byte(snapshotMagic), snapshotVersion)
}

// frame is one block as it lies in the file.
type frame struct {
	offset int64
	raw    int // its size before compression
	data   []byte
}

// chain is the checksum of the blocks so far.
type chain uint32

func newChain() chain { return chain(crc32.Checksum(fileHead(), castagnoli)) }

// next is the chain with one block more: over the checksum before, the two lengths and the data.
func (c chain) next(lengths [8]byte, data []byte) chain {
	var before [4]byte
	binary.LittleEndian.PutUint32(before[:], uint32(c))
	sum := crc32.Update(0, castagnoli, before[:])
	sum = crc32.Update(sum, castagnoli, lengths[:])
	return chain(crc32.Update(sum, castagnoli, data))
}

func lengths(compressed, raw int) (b [8]byte) {
	binary.LittleEndian.PutUint32(b[:], uint32(compressed))
	binary.LittleEndian.PutUint32(b[4:], uint32(raw))
	return b
}

// frames reads a file's frames, and checks all but what is within them. take gives room for n bytes.
func frames(r io.Reader, size int64, take func(n int) []byte, emit func(frame) error) error {
	head := make([]byte, fileHeadSize)
	if err := readFull(r, head, 0); err != nil {
		return err
	}
	if string(head[:len(snapshotMagic)]) != snapshotMagic {
		return damaged("it does not begin as a snapshot does")
	}
	if v := binary.LittleEndian.Uint32(head[len(snapshotMagic):]); v != snapshotVersion {
		return damaged("its version is %d, and this program reads only version %d", v, snapshotVersion)
	}
	sum := newChain()
	for at := int64(fileHeadSize); at < size; {
		f, next, err := readFrame(r, at, size, sum, take)
		if err != nil {
			return err
		}
		if err := emit(f); err != nil {
			return err
		}
		at, sum = at+blockHeadSize+int64(len(f.data)), next
	}
	return nil
}

func readFrame(r io.Reader, at, size int64, sum chain, take func(n int) []byte) (frame, chain, error) {
	var head [blockHeadSize]byte
	if size-at < blockHeadSize {
		return frame{}, 0, damaged("the file ends inside the block at offset %d", at)
	}
	if err := readFull(r, head[:], at); err != nil {
		return frame{}, 0, err
	}
	length, raw := binary.LittleEndian.Uint32(head[:]), binary.LittleEndian.Uint32(head[4:])
	switch {
	case length == 0 || length > maxCompressed || raw == 0 || raw > maxBlock:
		return frame{}, 0, damaged("the block at offset %d has %d bytes, and %d uncompressed", at, length, raw)
	case int64(length) > size-at-blockHeadSize:
		return frame{}, 0, damaged("the file ends inside the block at offset %d", at)
	}
	data := take(int(length))
	if err := readFull(r, data, at+blockHeadSize); err != nil {
		return frame{}, 0, err
	}
	sum = sum.next([8]byte(head[:8]), data)
	if got := binary.LittleEndian.Uint32(head[8:]); got != uint32(sum) {
		return frame{}, 0, damaged("the block at offset %d has a wrong checksum", at)
	}
	return frame{offset: at, raw: int(raw), data: data}, sum, nil
}

func readFull(r io.Reader, b []byte, at int64) error {
	_, err := io.ReadFull(r, b)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return damaged("the file ends at an offset before %d", at+int64(len(b)))
	}
	if err != nil {
		return fmt.Errorf("read at offset %d: %w", at, err)
	}
	return nil
}
