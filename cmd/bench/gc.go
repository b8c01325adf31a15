package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"minicrm/cmd/minicrm/load"
)

type gcCmd struct {
	common
	crowd
	Rate float64 `default:"10000" help:"Requests a second, in open loop."`
}

// gcTarget is how many milliseconds garbage collection may add to p99.
const gcTarget = 2.0

// Run measures two services that are as full, one of which never collects, and prints the table.
func (c *gcCmd) Run(ctx context.Context) (err error) {
	w, err := c.open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	r := newResult("Garbage collection under load", "GOGC", "collections a round", "p50", "p99", "p99.9", "longest", "p99 more, in ms")
	w.expected(2*c.Rounds, 2*c.takes())
	var all []*entrant
	counts := map[*entrant]*collections{}
	for _, setting := range []string{"off", ""} {
		p := w.minicrmUnder([]string{"GOGC=" + setting}, "--snapshot-every=0", room(fillers, c.Batch))
		url, end, err := p.start(ctx)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, end()) }()
		if _, err := c.fill(ctx, w, p, url); err != nil {
			return err
		}
		counter := &collections{}
		e := counter.counting(p.running(cmp.Or(setting, "not set"), url, c.steady(w)), url)
		counts[e] = counter
		all = append(all, e)
	}
	if err := takeTurns(ctx, c.Rounds, all...); err != nil {
		return err
	}
	for i, e := range all {
		more := ""
		switch {
		case i > 0 && counts[e].mean() < 1:
			more = "too few collections: longer rounds"
		case i > 0:
			more = ratio(e.median(p99)-all[0].median(p99), -gcTarget)
		}
		r.row(e.name, fmt.Sprintf("%.1f", counts[e].mean()), milliseconds(e.median(p50)), milliseconds(e.median(p99)),
			milliseconds(e.median(p999)), milliseconds(e.median(longest)), more)
	}
	r.note("%d contacts in memory of each; open loop at %.0f requests/s with Poisson arrivals; medians of %d rounds of %v, in turn.",
		c.Contacts, c.Rate, c.Rounds, c.Duration)
	return r.publish(w)
}

func (c *gcCmd) steady(w *workplace) load.Options {
	o := w.load()
	o.Connections, o.Rate = c.Connections, c.Rate
	return o
}

func p999(r *load.Report) float64    { return r.Latency["all"].P999 }
func longest(r *load.Report) float64 { return r.Latency["all"].Max }

// collections counts those of a service in each round.
type collections struct{ rounds []float64 }

func (c *collections) mean() float64 {
	sum := 0.0
	for _, n := range c.rounds {
		sum += n
	}
	return sum / float64(len(c.rounds))
}

// counting is an entrant whose rounds are counted.
func (c *collections) counting(e *entrant, url string) *entrant {
	turn := e.turn
	e.turn = func(ctx context.Context) (*load.Report, error) {
		before, err := collected(ctx, url)
		if err != nil {
			return nil, err
		}
		report, err := turn(ctx)
		if err != nil {
			return nil, err
		}
		after, err := collected(ctx, url)
		c.rounds = append(c.rounds, after-before)
		return report, err
	}
	return e
}

// collected is how many collections a service has had.
func collected(ctx context.Context, url string) (float64, error) {
	scrape, err := new(reader).get(ctx, url+"/metrics")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(scrape)) {
		if value, found := strings.CutPrefix(line, "go_gc_duration_seconds_count "); found {
			return strconv.ParseFloat(strings.TrimSpace(value), 64)
		}
	}
	return 0, fmt.Errorf("%s/metrics has no go_gc_duration_seconds_count", url)
}
