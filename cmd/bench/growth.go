package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"minicrm/cmd/minicrm/load"
)

// crowd is what fills a service, and the load that is put on it then.
type crowd struct {
	Connections int   `default:"64" help:"Connections."`
	Contacts    int64 `default:"2000000" help:"Contacts to have in memory."`
	Leads       int   `default:"500000" help:"Leads to have in memory, about."`
	Batch       int   `default:"1000" help:"Contacts a batch while it is filled; 0 = single posts."`
}

type growthCmd struct {
	common
	crowd
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
	w.expected(2*c.Rounds, c.takes()+20*time.Second)
	options := []string{"--snapshot-every=0", room(fillers, c.Batch)}
	full := w.minicrm(options...)
	url, end, err := full.start(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	filled, err := c.fill(ctx, w, full, url)
	if err != nil {
		return err
	}
	o := w.load()
	o.Connections = c.Connections
	empty := w.minicrm(options...).entrant("empty", o)
	grown := full.running(fmt.Sprintf("%d contacts", c.Contacts), url, o)
	if err := takeTurns(ctx, c.Rounds, empty, grown); err != nil {
		return err
	}
	c.throughput(r, empty, grown, filled)
	if err := c.lists(ctx, r, url); err != nil {
		return err
	}
	return r.publish(w)
}

// fillers are the connections over which batches come.
const fillers = 8

// takes is how long filling takes, about.
func (c *crowd) takes() time.Duration {
	const singles = 15_000 // a second
	return time.Duration(float64(c.Contacts)/singles/float64(max(1, min(10, c.Batch)))) * time.Second
}

// fill brings the contacts: nearly all seats of 2,000 operators get taken, a tenth is closed.
func (c *crowd) fill(ctx context.Context, w *workplace, p peer, url string) (*load.Report, error) {
	filled, err := p.measure(ctx, url, c.filling(w))
	if err == nil {
		say("filled with %d contacts of %d leads", filled.Posted, filled.Leads)
	}
	return filled, err
}

func (c *crowd) filling(w *workplace) load.Options {
	o := w.load()
	o.Sources, o.Operators, o.Links, o.Weights = 200, 2000, 10, []int64{1}
	o.Batch, o.Mix, o.Live = c.Batch, load.Mix{Posts: 9, Closes: 1}, int(c.Contacts)
	if c.Batch > 0 {
		o.Connections, o.Mix = fillers, load.Mix{Posts: 1, Closes: c.Batch / 9}
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
