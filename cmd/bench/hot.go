package main

import (
	"context"
	"errors"
)

type hotCmd struct {
	common
	Connections int `default:"64" help:"Connections."`
}

// hotTarget is of the rate with one busy source to that with all of them busy.
const hotTarget = 0.9

// Run measures and prints the table.
func (c *hotCmd) Run(ctx context.Context) (err error) {
	w, err := c.open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	r := newResult("One hot source", "contacts", "contacts/s", "p50", "p99", "ratio")
	w.expected(2*c.Rounds, 0)
	o := w.load()
	o.Connections, o.Sources, o.Operators, o.Links, o.Live = c.Connections, 200, 2000, 10, 2000
	spread := w.minicrm().entrant("spread over 200 sources", o)
	o.Busy = 1
	hot := w.minicrm().entrant("all to one of 200 sources", o)
	if err := takeTurns(ctx, c.Rounds, spread, hot); err != nil {
		return err
	}
	for _, e := range []*entrant{spread, hot} {
		against := ""
		if e == hot {
			against = ratio(hot.median(contacts)/spread.median(contacts), hotTarget)
		}
		r.row(e.name, count(e.median(contacts)), milliseconds(e.median(p50)), milliseconds(e.median(p99)), against)
	}
	r.note("Medians of %d rounds of %v at %d connections; 10 operators a source, 2,000 contacts held.", c.Rounds, c.Duration, c.Connections)
	return r.publish(w)
}
