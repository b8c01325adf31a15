package load

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"sync"
	"sync/atomic"
)

// field is what a load plays on: its own sources and operators. The counts are what the answers said.
type field struct {
	sources   []source
	operators []operator
}

type source struct {
	id       int64
	links    []link
	rows     map[int64]int // operator id -> row of links
	weights  int64
	contacts atomic.Int64 // posted and answered
}

type link struct {
	operator int // index
	weight   int64
	received atomic.Int64
}

type operator struct {
	id   int64
	load atomic.Int64
	peak atomic.Int64
}

// take counts a contact that the operator got.
func (o *operator) take() {
	load := o.load.Add(1)
	for {
		peak := o.peak.Load()
		if load <= peak || o.peak.CompareAndSwap(peak, load) {
			return
		}
	}
}

// setUp makes the sources, the operators and the links. Ids and weights go together: the operator with the lowest id
// has the first weight.
func setUp(ctx context.Context, c *client, o Options) (*field, error) {
	f := &field{sources: make([]source, o.Sources), operators: make([]operator, o.Operators)}
	operators, err := create(ctx, c, o, "/v1/operators", o.Operators, func(i int) string {
		return fmt.Sprintf(`{"name":"load operator %d","max_load":%d}`, i+1, o.MaxLoad)
	})
	if err != nil {
		return nil, err
	}
	sources, err := create(ctx, c, o, "/v1/sources", o.Sources, func(i int) string {
		return fmt.Sprintf(`{"name":"load source %d"}`, i+1)
	})
	if err != nil {
		return nil, err
	}
	for i, id := range operators {
		f.operators[i].id = id
	}
	for i, id := range sources {
		f.sources[i].set(id, i, f, o)
	}
	return f, f.link(ctx, c, o)
}

// set plans the links of the source with this index.
func (s *source) set(id int64, index int, f *field, o Options) {
	s.id, s.links, s.rows = id, make([]link, o.Links), make(map[int64]int, o.Links)
	row := 0
	for op := range o.linked(index) {
		s.links[row].operator, s.links[row].weight = op, o.weight(op)
		s.rows[f.operators[op].id] = row
		s.weights += o.weight(op)
		row++
	}
}

// create makes n things and returns their ids, ascending.
func create(ctx context.Context, c *client, o Options, path string, n int, body func(i int) string) ([]int64, error) {
	ids := make([]int64, n)
	err := c.each(ctx, o.Connections, n, func(l *call, i int) error {
		var made struct {
			ID int64 `json:"id"`
		}
		err := l.must("POST", path, body(i), &made)
		ids[i] = made.ID
		return err
	})
	slices.SortFunc(ids, cmp.Compare)
	return ids, err
}

// link sends the links, those of one source in one row, so that each source has them in the same order.
func (f *field) link(ctx context.Context, c *client, o Options) error {
	return c.each(ctx, o.Connections, len(f.sources), func(l *call, i int) error {
		s := &f.sources[i]
		for row := range s.links {
			path := fmt.Sprintf("/v1/sources/%d/operators/%d", s.id, f.operators[s.links[row].operator].id)
			if err := l.must("PUT", path, fmt.Sprintf(`{"weight":%d}`, s.links[row].weight), nil); err != nil {
				return err
			}
		}
		return nil
	})
}

// each calls do for 0 to n-1 over several connections, until the first error.
func (c *client) each(ctx context.Context, connections, n int, do func(l *call, i int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(connections, n) {
		wg.Go(func() {
			l := c.newCall()
			for i := int(next.Add(1)) - 1; i < n && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				if err := do(l, i); err != nil {
					cancel(err)
				}
			}
		})
	}
	wg.Wait()
	return context.Cause(ctx)
}

// share is the row's part of the source's contacts.
func (s *source) share(row int) float64 { return float64(s.links[row].weight) / float64(s.weights) }

// bound is how far a count may be from its exact share while everybody is eligible: Tijdeman's, and a little for the
// rounding of the service's fixed-point numbers.
func (s *source) bound() float64 {
	if len(s.links) == 1 {
		return 0
	}
	return 1 - 1/float64(2*len(s.links)-2) + math.Ldexp(float64(len(s.links))*float64(s.contacts.Load()), -40)
}
