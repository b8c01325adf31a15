package actors

import (
	"context"
	"log/slog"
	"sync"
	"testing"

	"minicrm/domain"
)

// memoryJournal is a journal in memory whose Commit can be made to fail.
type memoryJournal struct {
	mu      sync.Mutex
	records []domain.Record
	pending []domain.Record
	commits int
	err     error
	roll    error // what Roll returns
	write   func(context.Context, *domain.Frozen, uint64) error
}

func (m *memoryJournal) Recover(func(done, total int64)) (*domain.Catalog, error) {
	return recoverFrom(nil, m.records)
}

func (m *memoryJournal) Roll() (uint64, error) { return 7, m.roll }
func (m *memoryJournal) Snapshotted() uint64   { return 0 }

func (m *memoryJournal) WriteSnapshot(ctx context.Context, f *domain.Frozen, entry uint64) error {
	if m.write == nil {
		return nil
	}
	return m.write(ctx, f, entry)
}

func (m *memoryJournal) Add(r domain.Record) int {
	m.pending = append(m.pending, r)
	return len(m.pending)
}

func (m *memoryJournal) Commit() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return m.err
	}
	m.records = append(m.records, m.pending...)
	m.pending = nil
	m.commits++
	return nil
}

func (m *memoryJournal) failWith(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.err = err
}

// options are those of a dispatcher for a test.
func options(log Journal) Options {
	return Options{
		Journal: log, SnapshotEvery: 1000, Logger: slog.New(slog.DiscardHandler), Now: func() domain.Time { return 1 },
	}
}

// start runs a dispatcher for a test; what it calls fatal arrives in the channel.
func start(t testing.TB, log Journal) (*Dispatcher, chan error) {
	t.Helper()
	return startWith(t, options(log))
}

func startWith(t testing.TB, o Options) (*Dispatcher, chan error) {
	t.Helper()
	fatal := make(chan error, 1)
	o.Fatal = func(err error) { fatal <- err }
	d, err := Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Stop(); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	return d, fatal
}

// furnished is a dispatcher with sources that share operators; each operator has the given seats.
func furnished(t testing.TB, log Journal, sources, operators, seats int) (*Dispatcher, chan error) {
	t.Helper()
	d, fatal := start(t, log)
	furnish(t, d, sources, operators, seats)
	return d, fatal
}

func furnish(t testing.TB, d *Dispatcher, sources, operators, seats int) {
	t.Helper()
	ctx := t.Context()
	for range operators {
		_, err := d.CreateOperator(ctx, domain.NewOperator{Name: "op", Active: true, MaxLoad: seats}, by(1))
		check(t, err)
	}
	for range sources {
		s, err := d.CreateSource(ctx, domain.NewSource{Name: "source", Backlog: domain.BacklogAuto}, by(1))
		check(t, err)
		for op := range operators {
			_, err := d.SetLink(ctx, s.ID, domain.OperatorID(op+1), int64(op+1), by(1))
			check(t, err)
		}
	}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func post(ctx context.Context, d *Dispatcher, source int, email string) (domain.Contact, error) {
	c, _, err := d.CreateContact(ctx, domain.NewContact{Source: domain.SourceID(source), Email: email}, by(2))
	return c, err
}

func by(at domain.Time) domain.Stamp { return domain.Stamp{At: at} }
