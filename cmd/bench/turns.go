package main

import (
	"context"
	"slices"
	"time"

	"minicrm/cmd/minicrm/load"
)

// entrant is one side of a comparison: what is done in its turn, and what came of it in each round.
type entrant struct {
	name    string
	turn    func(ctx context.Context) (*load.Report, error)
	reports []*load.Report
}

// takeTurns runs A B C, C B A, A B C, …, so that what changes about the machine meanwhile meets all alike. So does what
// an end leaves behind: with A B, A B, a service that goes on had 0.93 of one that ends each time, with B A, B A 1.00.
func takeTurns(ctx context.Context, rounds int, entrants ...*entrant) error {
	order := slices.Clone(entrants)
	for round := range rounds {
		for _, e := range order {
			report, err := e.turn(ctx)
			if err != nil {
				return err
			}
			e.reports = append(e.reports, report)
			all := report.Latency["all"]
			say("round %d of %d: %-28s %8.0f contacts/s  p50 %6.2f ms  p99 %6.2f ms", round+1, rounds, e.name, report.Contacts, all.P50, all.P99)
		}
		slices.Reverse(order)
	}
	return nil
}

// entrant is a peer under a load, with a fresh process each time.
func (p peer) entrant(name string, o load.Options) *entrant {
	return &entrant{name: name, turn: func(ctx context.Context) (*load.Report, error) { return p.turn(ctx, o) }}
}

// running is a peer that runs already, under a load.
func (p peer) running(name, url string, o load.Options) *entrant {
	return &entrant{name: name, turn: func(ctx context.Context) (*load.Report, error) { return p.measure(ctx, url, o) }}
}

// median is the median over the rounds.
func (e *entrant) median(of func(*load.Report) float64) float64 {
	return median(e.values(of))
}

// best is the highest of all rounds: where the machine is not one's own, it says more than the median.
func (e *entrant) best(of func(*load.Report) float64) float64 { return slices.Max(e.values(of)) }

func (e *entrant) values(of func(*load.Report) float64) []float64 {
	values := make([]float64, len(e.reports))
	for i, r := range e.reports {
		values[i] = of(r)
	}
	return values
}

// median of at least one value.
func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

func contacts(r *load.Report) float64 { return r.Contacts }
func requests(r *load.Report) float64 { return r.Requests }
func p50(r *load.Report) float64      { return r.Latency["all"].P50 }
func p99(r *load.Report) float64      { return r.Latency["all"].P99 }
func cores(r *load.Report) float64    { return r.Generator.Cores }

// expected tells how long a comparison takes, before it begins.
func (w *workplace) expected(turns int, more time.Duration) {
	const around = 1500 * time.Millisecond // start, set-up, checks, end
	say("about %v", (time.Duration(turns)*(w.Warmup+w.Duration+around) + more).Round(time.Second))
}
