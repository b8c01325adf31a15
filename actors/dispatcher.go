package actors

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"

	"minicrm/domain"
)

// Options is what a dispatcher needs.
type Options struct {
	Journal    Journal
	Now        func() domain.Time // stamps what is assigned at the start
	Logger     *slog.Logger
	Registerer prometheus.Registerer // nil = nothing is counted
	Labels     Labels                // of the metrics
	Tracer     trace.Tracer          // of the commands whose context has a span that records; nil = nothing is traced
	// SnapshotEvery is the number of records from one snapshot to the next; 0 = only when TakeSnapshot asks.
	SnapshotEvery uint64
	// Progress hears how far the recovery has come; nil = nobody wants to know.
	Progress func(done, total int64)
	// Fatal is called once, when the dispatcher must not go on: a journal error or a panic in an actor. Memory is ahead
	// of the disk then, and replay is the one way back, so a program ends here with a non-zero status.
	Fatal func(error)
}

// Dispatcher is the running whole. Its commands are in commands.go.
type Dispatcher struct {
	host      *host
	catalog   *catalog
	metrics   *metrics
	tracer    trace.Tracer // nil = nothing is traced
	seats     *seats
	journal   *hosted
	leads     *hosted
	operators *hosted
	replies   contactReplies
	firstID   domain.SourceID // of the sources created from now on
	snapshots context.CancelFunc
	work      sync.WaitGroup // the snapshot being written
	archiving sync.RWMutex   // held from the look at what is to be archived until it is forgotten; shared by who reopens
}

// Start recovers the state, checks it, drains the backlogs and starts the actors.
func Start(o Options) (*Dispatcher, error) {
	committed, err := o.Journal.Recover(o.Progress)
	if err != nil {
		return nil, fmt.Errorf("recover: %w", err)
	}
	if err := committed.Check(); err != nil {
		return nil, fmt.Errorf("the state that was recovered contradicts itself, which is a bug; nothing was changed: %w", err)
	}
	if err := drain(committed, o.Journal, max(o.Now(), committed.LastTime())); err != nil {
		return nil, fmt.Errorf("drain the backlogs: %w", err)
	}
	d := &Dispatcher{
		host:    newHost(o.Fatal, newTraffic(o.Registerer), o.Tracer != nil),
		catalog: &catalog{committed: committed},
		tracer:  o.Tracer,
		firstID: committed.NextSource(),
	}
	ctx, cancel := context.WithCancel(context.Background())
	d.snapshots = cancel
	d.measure(o)
	passing := newPassing(machine{})
	d.journal = d.host.spawn(kindJournal, kindJournal, func(self mailbox) decider {
		return &journal{
			log: o.Journal, catalog: d.catalog, passing: passing, self: self, metrics: d.metrics, fail: d.host.fail, traced: o.Tracer != nil,
			snapshots: snapshots{every: o.SnapshotEvery, last: o.Journal.Snapshotted(), ctx: ctx, beside: d.work.Go, log: o.Logger},
		}
	})
	d.seats = &seats{memory: machine{}, journal: d.journal}
	restore(d.catalog, d.seats, d.metrics, d.spawnSource)
	d.leads = d.host.spawn(kindLeads, kindLeads, func(mailbox) decider {
		return &leads{registry: committed.Registry(), journal: d.journal, passing: passing, catalog: d.catalog}
	})
	d.operators = d.host.spawn(kindOperators, kindOperators, func(mailbox) decider {
		return &operators{seats: d.seats, next: committed.NextOperator()}
	})
	return d, nil
}

// measure makes the metrics; nothing runs yet.
func (d *Dispatcher) measure(o Options) {
	d.metrics = newMetrics(o.Registerer, o.Labels, o.Now)
	if d.metrics == nil {
		return
	}
	d.metrics.know(d.catalog.committed)
	o.Registerer.MustRegister(newFigures(d.catalog, o.Labels, d.metrics.names, o.Now, o.SnapshotEvery))
}

func (d *Dispatcher) spawnSource(id domain.SourceID, s *source) mailbox {
	return d.host.spawn(kindSource, fmt.Sprintf("source-%d", id), func(mailbox) decider { return s })
}

// drain assigns what waits and can be assigned, before anybody can ask: seats that were on their way when the process
// ended were never assigned.
func drain(committed *domain.Catalog, log Journal, at domain.Time) error {
	var pending []domain.Record
	floor := domain.NewFloor(func(r domain.Record) { pending = append(pending, r) }, nil)
	floor.Seat(committed.Seatings(floor.Shown, floor.Heads)...)
	floor.Drain(committed.Desks(floor.For), at)
	for len(pending) > 0 {
		n := 0
		for n < len(pending) && log.Add(pending[n]) < maxBatchBytes {
			n++
		}
		batch := pending[:min(n+1, len(pending))]
		if err := log.Commit(); err != nil {
			return err
		}
		for _, r := range batch {
			if err := committed.Apply(r); err != nil {
				return err
			}
		}
		pending = pending[len(batch):]
	}
	return nil
}

// restore builds the live state of seats and sources. spawn makes the mailbox of a source.
func restore(shared *catalog, s *seats, m *metrics, spawn func(domain.SourceID, *source) mailbox) {
	committed := shared.committed
	s.contacts.Store(int64(committed.NextContact()) - 1)
	for _, id := range committed.SourceIDs() {
		s.sources.put(int64(id), &desk{heads: newHeads(s.memory)})
	}
	heads := func(id domain.SourceID) *heads { return s.sources.get(int64(id)).heads }
	for _, seating := range committed.Seatings(s.memory.word, func(id domain.SourceID, op domain.OperatorID) domain.Heads {
		return heads(id).of(op, s.memory)
	}) {
		s.seat(seating)
	}
	ports := map[domain.SourceID]*port{}
	desks := committed.Desks(func(id domain.SourceID) domain.Seats {
		ports[id] = &port{seats: s, source: id, heads: heads(id)}
		return ports[id]
	})
	for i, id := range committed.SourceIDs() {
		desks[i].Resume()
		to := s.sources.get(int64(id))
		to.gone.Store(desks[i].Deleted())
		to.mailbox = spawn(id, &source{desk: desks[i], port: ports[id], catalog: shared, metrics: m})
	}
}

// LastTime is the latest time stamp in the journal.
func (d *Dispatcher) LastTime() (last domain.Time) {
	d.View(func(c *domain.Catalog) { last = c.LastTime() })
	return last
}

// Records is the number of records in the journal.
func (d *Dispatcher) Records() (n uint64) {
	d.View(func(c *domain.Catalog) { n = c.Index() })
	return n
}

// Stop ends the actors in the order of the flow, so that all that was accepted is answered. Commands are to be held
// back before: those that come later are answered with unavailable. The journal can be closed then.
func (d *Dispatcher) Stop() error {
	defer d.host.close()
	d.snapshots()
	d.work.Wait()
	err := d.host.stop(d.leads)
	var sources []*hosted
	for _, s := range d.seats.sources.all() {
		if s != nil {
			sources = append(sources, s.mailbox.(*hosted))
		}
	}
	return errors.Join(err, d.host.stop(sources...), d.host.stop(d.operators), d.host.stop(d.journal))
}
