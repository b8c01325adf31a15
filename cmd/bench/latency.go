package main

import (
	"context"
	"errors"
	"fmt"

	"minicrm/cmd/minicrm/load"
)

type latencyCmd struct {
	common
	Connections int     `default:"256" help:"Connections."`
	Rate        float64 `default:"0" help:"Requests a second; 0 = half of the highest rate, which is measured first."`
}

// What minicrm may take longer than the handler that does nothing, in times of an fdatasync.
const (
	p50Syncs = 3
	p99Syncs = 8
)

// Run measures and prints the table.
func (c *latencyCmd) Run(ctx context.Context) (err error) {
	w, err := c.open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	r := newResult("", "peer", "p50", "p99", "sent late, p99", "p50 may be", "p99 may be")
	w.expected(2*c.Rounds+4, 0)
	o := w.load()
	o.Connections = c.Connections
	if o.Rate = c.Rate; o.Rate == 0 {
		highest, err := c.highest(ctx, w, o)
		if err != nil {
			return err
		}
		o.Rate = highest / 2
	}
	noop, ours := w.noop().entrant("no-op handler", o), w.minicrm().entrant("minicrm, durable", o)
	var syncs []float64
	if err := takeTurns(ctx, c.Rounds, w.syncing(noop, &syncs), ours); err != nil {
		return err
	}
	r.title = fmt.Sprintf("Open loop at %.0f requests/s", o.Rate)
	c.rows(r, noop, ours, median(syncs))
	r.note("Medians of %d rounds of %v; Poisson arrivals over at most %d connections; latency from the time each request was meant to be sent.", c.Rounds, c.Duration, c.Connections)
	r.note("A 4 KiB append with fdatasync takes %.3f ms here, the median of the medians of the rounds.", median(syncs))
	return r.publish(w)
}

// syncing is an entrant before each turn of which an fdatasync is timed.
func (w *workplace) syncing(e *entrant, syncs *[]float64) *entrant {
	turn := e.turn
	e.turn = func(ctx context.Context) (*load.Report, error) {
		took, err := w.fdatasync()
		if err != nil {
			return nil, err
		}
		*syncs = append(*syncs, took)
		return turn(ctx)
	}
	return e
}

// highest is the best rate of minicrm in closed loop.
func (c *latencyCmd) highest(ctx context.Context, w *workplace, o load.Options) (best float64, err error) {
	for _, connections := range []int{64, 256} {
		o.Connections = connections
		e := w.minicrm().entrant(fmt.Sprintf("highest rate, %d connections", connections), o)
		if err := takeTurns(ctx, 2, e); err != nil {
			return 0, err
		}
		best = max(best, e.median(requests))
	}
	return best, nil
}

func (c *latencyCmd) rows(r *result, noop, ours *entrant, sync float64) {
	late := func(r *load.Report) float64 { return r.Late.P99 }
	cells := func(e *entrant) []string {
		return []string{e.name, milliseconds(e.median(p50)), milliseconds(e.median(p99)), milliseconds(e.median(late))}
	}
	may := func(of func(*load.Report) float64, syncs float64) string {
		most := noop.median(of) + syncs*sync
		verdict := "met"
		if ours.median(of) > most {
			verdict = "missed"
		}
		return fmt.Sprintf("%.2f ms: %s", most, verdict)
	}
	r.row(append(cells(noop), "", "")...)
	r.row(append(cells(ours), may(p50, p50Syncs), may(p99, p99Syncs))...)
}
