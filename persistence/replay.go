package persistence

import (
	"fmt"

	"minicrm/domain"
)

// replayChunk is how many bytes of groups are decoded at a time: enough that handing them over costs nothing.
const replayChunk = 64 << 10

// chunk is a run of groups as they lie in the log, one behind the other.
type chunk struct {
	entry uint64 // of the first
	data  []byte
	ends  []int // where each group ends in data
}

// groups is a chunk decoded, up to the first group that cannot be.
type groups struct {
	entry uint64
	bytes int
	all   []decodedGroup
	err   error // of the group behind all
}

type decodedGroup struct {
	first   uint64
	records []domain.Record
}

// replayInOrder hands the records of the log from an entry on to apply: decoded in parallel, applied in order on the
// caller's goroutine. next is the index that the first must have; it returns the index that is next then.
func replayInOrder(log entryLog, entry, next uint64, read func(bytes int), apply func(domain.Record) error) (uint64, error) {
	err := inOrder(
		func(emit func(chunk) error) error { return chunks(log, entry, emit) },
		decodeChunk,
		func(g groups) error {
			for i, group := range g.all {
				if group.first != next {
					return fmt.Errorf("entry %d: it begins with record %d instead of %d: records are missing or repeated",
						g.entry+uint64(i), group.first, next)
				}
				for _, r := range group.records {
					if err := apply(r); err != nil {
						return fmt.Errorf("entry %d: record %d: %w", g.entry+uint64(i), next, err)
					}
					next++
				}
			}
			if g.err != nil {
				return fmt.Errorf("entry %d: %w", g.entry+uint64(len(g.all)), g.err)
			}
			read(g.bytes)
			return nil
		},
	)
	return next, err
}

// chunks cuts the log into chunks.
func chunks(log entryLog, from uint64, emit func(chunk) error) error {
	var c chunk
	err := log.ReplayFrom(from, func(entry uint64, payload []byte) error {
		if len(c.ends) == 0 {
			c.entry = entry
		}
		c.data = append(c.data, payload...)
		c.ends = append(c.ends, len(c.data))
		if len(c.data) < replayChunk {
			return nil
		}
		full := c
		c = chunk{}
		return emit(full)
	})
	if err != nil || len(c.ends) == 0 {
		return err
	}
	return emit(c)
}

func decodeChunk(c chunk) groups {
	g := groups{entry: c.entry, bytes: len(c.data), all: make([]decodedGroup, 0, len(c.ends))}
	start := 0
	for _, end := range c.ends {
		first, records, err := readGroup(c.data[start:end])
		if err != nil {
			g.err = err
			return g
		}
		g.all = append(g.all, decodedGroup{first, records})
		start = end
	}
	return g
}
