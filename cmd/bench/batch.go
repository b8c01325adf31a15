package main

import (
	"context"
	"errors"
	"fmt"

	"minicrm/cmd/minicrm/load"
)

type batchCmd struct {
	common
	Size        int `default:"1000" help:"Contacts a batch."`
	Connections int `default:"8" help:"Connections."`
}

// batchTarget is contacts a second.
const batchTarget = 300_000

// Run measures and prints the table.
func (c *batchCmd) Run(ctx context.Context) (err error) {
	w, err := c.open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	r := newResult("Batches", "connections", "contacts a batch", "contacts/s", "batches/s", "p50", "p99", "generator", "against the target")
	w.expected(c.Rounds, 0)
	e := w.minicrm(room(c.Connections, c.Size)).entrant(fmt.Sprintf("batches of %d", c.Size), c.load(w))
	if err := takeTurns(ctx, c.Rounds, e); err != nil {
		return err
	}
	r.row(fmt.Sprint(c.Connections), fmt.Sprint(c.Size), count(e.median(contacts)), count(e.median(requests)),
		milliseconds(e.median(p50)), milliseconds(e.median(p99)), fmt.Sprintf("%.2f cores", e.median(cores)),
		ratio(e.median(contacts)/batchTarget, 1))
	r.note("Medians of %d rounds of %v after %v of warm-up, each on an empty data directory; every contact durable before it is answered.", c.Rounds, c.Duration, c.Warmup)
	r.note("Nothing is closed meanwhile, so the 2,000,000 seats must last; %.0f of the contacts found nobody.", e.median(waited))
	return r.publish(w)
}

// load has as many seats as there can be with few operators a source, since at this rate no close could keep up. All
// operators have one weight, so they fill alike.
func (c *batchCmd) load(w *workplace) load.Options {
	o := w.load()
	o.Connections, o.Batch, o.Mix = c.Connections, c.Size, load.Mix{Posts: 1}
	o.Sources, o.Operators, o.Links, o.Weights = 200, 2000, 10, []int64{1}
	o.Contacts = 1_900_000
	return o
}

// room lets the service take as many batches at once as the load has connections: it takes batches for half of its places.
func room(connections, size int) string {
	return fmt.Sprintf("--max-in-flight=%d", 2*connections*max(1, size))
}

func waited(r *load.Report) float64 { return float64(r.Waited) }
