package persistence

import (
	"fmt"

	"minicrm/domain"
)

// formatVersion is the first byte of every payload that this program writes, and the only one that it reads.
const formatVersion = 1

// Fields of the message Group.
const (
	fieldFirst   = 1
	fieldRecords = 2
)

// group is a payload that grows record by record.
type group struct {
	coder   coder
	record  domain.Record // the one that is written: in here, so that it need not be allocated
	records int           // how many are in it
	size    int           // how many bytes of the coder's buffer they take; what is behind was not finished
}

// add appends the record of this index, and returns the payload's new size.
func (g *group) add(index uint64, r domain.Record) int {
	g.coder.buf = g.coder.buf[:g.size]
	if g.records == 0 {
		g.coder.buf = append(g.coder.buf, formatVersion)
		integer(&g.coder, fieldFirst, &index)
	}
	g.record = r
	message(&g.coder, fieldRecords, &g.record, record)
	g.record = domain.Record{}
	g.records++
	g.size = len(g.coder.buf)
	return g.size
}

func (g *group) payload() []byte { return g.coder.buf[:g.size] }

// clear empties the group; it keeps its memory.
func (g *group) clear() { g.records, g.size = 0, 0 }

// readGroup reads the records of a payload, and the index of the first. Nothing of them points into the payload.
func readGroup(payload []byte) (first uint64, records []domain.Record, err error) {
	if len(payload) == 0 {
		return 0, nil, fmt.Errorf("the payload is empty")
	}
	if v := payload[0]; v != formatVersion {
		return 0, nil, fmt.Errorf("the format version is %d, and this program reads only version %d", v, formatVersion)
	}
	c := coder{reading: true, buf: payload, at: 1, end: len(payload)}
	integer(&c, fieldFirst, &first)
	repeated(&c, fieldRecords, &records, record)
	switch c.finish(); {
	case c.err != nil:
		return 0, nil, fmt.Errorf("record %d: decode: %w", first+uint64(max(len(records), 1))-1, c.err)
	case len(records) == 0:
		return 0, nil, fmt.Errorf("it has no records")
	}
	return first, records, nil
}
