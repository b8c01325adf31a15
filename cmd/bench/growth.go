package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"minicrm/cmd/minicrm/load"
)

type growthCmd struct {
	common
	Connections int   `default:"64" help:"Connections."`
	Contacts    int64 `default:"2000000" help:"Contacts that one of the two has in memory."`
	Leads       int   `default:"500000" help:"Leads that it has in memory, about."`
	Batch       int   `default:"1000" help:"Contacts a batch while it is filled; 0 = single posts."`
}

// The targets: of the rate with all that in memory to the rate without, and milliseconds of a list at p99.
const (
	growthTarget = 0.95
	listTarget   = 2.0
)

// Run measures and prints the tables.
func (c *growthCmd) Run(ctx context.Context) (err error) {
	w, err := c.open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	r := newResult("Growth", "in memory", "contacts/s", "p50", "p99", "ratio")
	const singles = 15_000 // a second, about
	filling := time.Duration(float64(c.Contacts)/singles/float64(max(1, min(10, c.Batch)))) * time.Second
	w.expected(2*c.Rounds, filling+20*time.Second)
	full := w.minicrm("--snapshot-every=0")
	url, end, err := full.start(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	filled, err := full.measure(ctx, url, c.filling(w))
	if err != nil {
		return err
	}
	say("filled with %d contacts of %d leads", filled.Posted, filled.Leads)
	o := w.load()
	o.Connections = c.Connections
	empty := w.minicrm("--snapshot-every=0").entrant("empty", o)
	grown := &entrant{name: fmt.Sprintf("%d contacts", c.Contacts), turn: func(ctx context.Context) (*load.Report, error) {
		return full.measure(ctx, url, o)
	}}
	if err := takeTurns(ctx, c.Rounds, empty, grown); err != nil {
		return err
	}
	c.throughput(r, empty, grown, filled)
	if err := c.lists(ctx, r, url); err != nil {
		return err
	}
	return r.publish(w)
}

// filling is the load that brings the contacts: nearly all seats of 2,000 operators get taken, a tenth is closed.
func (c *growthCmd) filling(w *workplace) load.Options {
	o := w.load()
	o.Sources, o.Operators, o.Links, o.Weights = 200, 2000, 10, []int64{1}
	o.Batch, o.Mix, o.Live = c.Batch, load.Mix{Posts: 9, Closes: 1}, int(c.Contacts)
	if c.Batch > 0 {
		o.Connections, o.Mix = 8, load.Mix{Posts: 1, Closes: c.Batch / 9}
	}
	// With an exponent near 1, two in seven of all customers come at least once to four times as many contacts as leads.
	o.Leads, o.Zipf, o.Seed = c.Leads*7/2, 1.01, 2
	o.Contacts, o.Warmup, o.Duration = c.Contacts, 0, 0
	return o
}

func (c *growthCmd) throughput(r *result, empty, grown *entrant, filled *load.Report) {
	for _, e := range []*entrant{empty, grown} {
		against := ""
		if e == grown {
			against = ratio(grown.median(contacts)/empty.median(contacts), growthTarget)
		}
		r.row(e.name, count(e.median(contacts)), milliseconds(e.median(p50)), milliseconds(e.median(p99)), against)
	}
	r.note("%d contacts of %d leads, 200 sources and 2,000 operators in memory, against nothing.", filled.Posted, filled.Leads)
	r.note("Medians of %d rounds of %v at %d connections, in turn; snapshots are off.", c.Rounds, c.Duration, c.Connections)
}
