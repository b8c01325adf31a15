package load

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

const progressEvery = 200 * time.Millisecond

// run is a load while it is on.
type run struct {
	options  Options
	client   *client
	field    *field
	people   *people
	tally    *tally
	workers  []*worker
	reserved atomic.Int64 // contacts that were or are about to be posted

	start    time.Time
	from, to time.Time // the measured time; to is zero while its end is not known
	cpu      CPU
	watched  time.Duration // the time that cpu was used in
}

// Run sets up sources and operators on the target, puts the load on it, and checks what came of it. An error says that
// there was no load, or that ctx ended it; what was wrong with answers is in the report.
func Run(ctx context.Context, o Options) (*Report, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	o = o.filled()
	c, err := newClient(o)
	if err != nil {
		return nil, err
	}
	defer c.close()
	r := &run{options: o, client: c, people: newPeople(o.Leads, o.Seed), tally: newTally()}
	if r.field, err = setUp(ctx, c, o); err != nil {
		return nil, fmt.Errorf("set up: %w", err)
	}
	for i := range o.Connections {
		r.workers = append(r.workers, newWorker(r, i))
	}
	r.drive(ctx)
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	report := r.report()
	if o.Check == CheckAll {
		if err := r.verify(ctx, report); err != nil {
			return nil, fmt.Errorf("check at the end: %w", err)
		}
	}
	report.Findings = r.tally.found()
	return report, nil
}

// drive runs all connections to their end.
func (r *run) drive(ctx context.Context) {
	r.start = time.Now()
	r.from = r.start.Add(r.options.Warmup)
	if r.options.Duration > 0 {
		r.to = r.from.Add(r.options.Duration)
	}
	ended := make(chan struct{})
	var watch, load sync.WaitGroup
	watch.Go(func() { r.watch(ended) })
	if r.options.Rate > 0 {
		r.open(ctx, &load)
	} else {
		r.closed(ctx, &load)
	}
	load.Wait()
	if now := time.Now(); r.to.IsZero() || now.Before(r.to) {
		r.to = now // all contacts were posted
	}
	close(ended)
	watch.Wait()
}

// closed is the closed loop.
func (r *run) closed(ctx context.Context, load *sync.WaitGroup) {
	end := r.to
	for _, w := range r.workers {
		load.Go(func() {
			for ctx.Err() == nil {
				now := time.Now()
				if !end.IsZero() && !now.Before(end) || !w.step(now) {
					return
				}
			}
		})
	}
}

// open is the open loop: one goroutine watches the schedule and hands each request to a connection that is free. When
// none is, requests wait, and their latency goes on from the time that was meant.
func (r *run) open(ctx context.Context, load *sync.WaitGroup) {
	due := make(chan time.Time, r.options.Connections)
	for _, w := range r.workers {
		load.Go(func() {
			for at := range due {
				w.step(at)
			}
		})
	}
	load.Go(func() {
		defer close(due)
		r.pace(ctx, due)
	})
}

// leastPause is how long the pace pauses at least: to wake up for each of many requests would cost the machine, on which
// the service often runs too, more than the requests themselves. They go out up to this much late, and their latency counts that.
const leastPause = 250 * time.Microsecond

// pace sends each request's time when it has come. What is late is sent all the same, since to leave it out would be to
// measure only when the service is well; but not for ever.
func (r *run) pace(ctx context.Context, due chan<- time.Time) {
	s, sleep := newSchedule(r.options), newSleeper()
	defer sleep.release()
	last := r.start.Add(s.end() + r.options.Timeout)
	for at := s.next(); at < s.end() && ctx.Err() == nil; at = s.next() {
		when := r.start.Add(at)
		now := time.Now()
		for wake := now.Add(leastPause); now.Before(when); now = time.Now() {
			sleep.sleep(max(when.Sub(now), wake.Sub(now)))
		}
		if now.After(last) {
			r.tally.unsent.Add(1)
			continue
		}
		due <- when
	}
	if n := r.tally.unsent.Load(); n > 0 {
		r.tally.wrong("open loop: the service could not keep up", "%d requests were not sent within %v of the end", n, r.options.Timeout)
	}
}

// measured says whether a request that was (to be) sent at this time counts.
func (r *run) measured(at time.Time) bool {
	return !at.Before(r.from) && (r.options.Duration == 0 || at.Before(r.from.Add(r.options.Duration)))
}

// reserve says whether so many contacts more may be posted.
func (r *run) reserve(contacts int) bool {
	n := r.reserved.Add(int64(contacts))
	return r.options.Contacts == 0 || n <= r.options.Contacts
}

func (r *run) countPosted(at time.Time, contacts int) {
	r.tally.posted.Add(int64(contacts))
	if r.measured(at) {
		r.tally.within.Add(int64(contacts))
	}
}

// watch measures the generator's own CPU time within the measured time, and tells how far the run has come.
func (r *run) watch(ended <-chan struct{}) {
	tick := time.NewTicker(progressEvery)
	defer tick.Stop()
	begin := time.After(time.Until(r.from))
	since, before := time.Now(), ownCPU()
	for {
		select {
		case <-begin:
			since, before = time.Now(), ownCPU()
		case <-tick.C:
			r.options.Progress(r.progress())
		case <-ended:
			r.cpu, r.watched = ownCPU().minus(before), time.Since(since)
			r.options.Progress(Progress{Done: 1, Answers: r.tally.answers.Load()})
			return
		}
	}
}

func (r *run) progress() Progress {
	var done float64
	if o := r.options; o.Duration > 0 {
		done = float64(time.Since(r.start)) / float64(o.Warmup+o.Duration)
	}
	if o := r.options; o.Contacts > 0 {
		done = max(done, float64(r.reserved.Load())/float64(o.Contacts))
	}
	return Progress{Done: min(done, 1), Answers: r.tally.answers.Load()}
}
