package actors

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"minicrm/domain"
)

// Catches: one actor, lock or queue through which all sources decide.
func TestSourcesRunSideBySide(t *testing.T) {
	d, _ := start(t, &memoryJournal{})
	ctx := t.Context()
	for i := range 2 {
		op, err := d.CreateOperator(ctx, domain.NewOperator{Name: "op", Active: true, MaxLoad: 5}, by(1))
		check(t, err)
		s, err := d.CreateSource(ctx, domain.NewSource{Name: "source", Backlog: domain.BacklogAuto}, by(1))
		check(t, err)
		_, err = d.SetLink(ctx, s.ID, op.ID, 1, by(1))
		check(t, err)
		if int(s.ID) != i+1 {
			t.Fatalf("source %d got id %d", i+1, s.ID)
		}
	}
	held := d.seats.operator(1)
	held.Lock() // source 1 now blocks in the middle of its decision
	blocked := make(chan domain.Contact)
	go func() {
		c, err := post(ctx, d, 1, "a@example.com")
		if err != nil {
			t.Error(err)
		}
		blocked <- c
	}()
	for i := range 3 {
		c, err := post(ctx, d, 2, fmt.Sprintf("b%d@example.com", i))
		check(t, err)
		if c.Operator != 2 {
			t.Errorf("contact %+v", c)
		}
	}
	select {
	case c := <-blocked:
		t.Errorf("source 1 decided without the seat's lock: %+v", c)
	default:
	}
	held.Unlock()
	if c := <-blocked; c.Operator != 1 {
		t.Errorf("contact %+v", c)
	}
}

// Catches: a read of the load and its change that are two steps. Eight sources race for the last seats of two
// operators; run with the race detector.
func TestLastSeatsAreNeverTakenTwice(t *testing.T) {
	const sources, seats, posts = 8, 3, 40
	log := &memoryJournal{}
	d, _ := furnished(t, log, sources, 2, seats)
	var wg sync.WaitGroup
	for s := range sources {
		wg.Go(func() {
			for i := range posts {
				c, err := post(t.Context(), d, s+1, fmt.Sprintf("%d-%d@example.com", s, i))
				if err == nil && c.Operator != 0 && i%2 == 0 {
					_, err = d.CloseContact(t.Context(), c.ID, "", by(3))
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	a := domain.NewAuditor(domain.NewCatalog())
	for _, r := range log.records {
		if err := a.Record(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.Conserving(); err != nil {
		t.Error(err)
	}
}

// Catches: a dispatcher that forgets lags, order, loads or ids over a restart, or does not drain before it is ready.
func TestRestartDrainsBeforeReady(t *testing.T) {
	log := &memoryJournal{}
	d, _ := furnished(t, log, 2, 2, 2)
	for i := range 9 {
		_, err := post(t.Context(), d, i%2+1, fmt.Sprintf("%d@example.com", i))
		check(t, err)
	}
	check(t, d.Stop())
	// A seat frees and nobody hears of it: the process ended before the grant arrived.
	log.records = append(log.records, domain.Record{Events: []domain.Event{
		&domain.ContactClosed{ID: 1, Source: 1, Operator: holder(d, 1)},
	}})
	again, _ := start(t, log)
	oldest := contact(again, 5)
	if oldest.Status != domain.StatusAssigned || oldest.Operator != holder(d, 1) {
		t.Errorf("the oldest contact was not drained: %+v", oldest)
	}
	if next := contact(again, 6); next.Status != domain.StatusOpen {
		t.Errorf("a younger contact was drained: %+v", next)
	}
	c, err := post(t.Context(), again, 1, "0@example.com")
	check(t, err)
	if c.ID != 10 || c.Lead != 1 {
		t.Errorf("after the restart the next contact is %+v, want id 10 and lead 1", c)
	}
}

func contact(d *Dispatcher, id domain.ContactID) (c domain.Contact) {
	d.View(func(k *domain.Catalog) { c, _ = k.Contact(id) })
	return c
}

func holder(d *Dispatcher, id domain.ContactID) domain.OperatorID {
	return contact(d, id).Operator
}

// Catches: answers after a journal error, waiting until a time-out, or no word to the process.
func TestJournalErrorIsFatal(t *testing.T) {
	log := &memoryJournal{}
	d, fatal := furnished(t, log, 1, 1, 5)
	log.failWith(errors.New("disk on fire"))
	_, err := post(t.Context(), d, 1, "a@example.com")
	if refusal := new(domain.Error); !errors.As(err, &refusal) || refusal.Code != domain.CodeUnavailable {
		t.Errorf("the client got %v", err)
	}
	if err := <-fatal; !strings.Contains(err.Error(), "disk on fire") {
		t.Errorf("fatal said %v", err)
	}
	log.failWith(nil)
	if _, err := post(t.Context(), d, 1, "b@example.com"); err == nil {
		t.Error("a command was taken after the failure")
	}
	if len(fatal) > 0 {
		t.Error("fatal was called twice")
	}
}

// Catches: protoactor's own way with a panic, which is to restart the actor empty and let the caller time out.
func TestPanicInAnActorIsFatal(t *testing.T) {
	d, fatal := furnished(t, &memoryJournal{}, 1, 1, 5)
	d.seats.sources.get(1).Tell(&grant{operator: 99}) // no such operator: impossible
	err := <-fatal
	if text := err.Error(); !strings.Contains(text, "actor source-1 panicked") || !strings.Contains(text, "seats.go") {
		t.Errorf("want the actor and the stack, got %v", err)
	}
	if _, err := post(t.Context(), d, 1, "a@example.com"); err == nil {
		t.Error("a command was taken after the panic")
	}
}

// Catches: a command that outlives the client, and a journal that blocks on a client who has gone.
func TestClientThatGoesAway(t *testing.T) {
	d, _ := furnished(t, &memoryJournal{}, 1, 1, 5)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := post(ctx, d, 1, "a@example.com"); err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	c, err := post(t.Context(), d, 1, "b@example.com")
	check(t, err)
	if c.ID != 2 {
		t.Errorf("the first contact was not taken: the second is %+v", c)
	}
}

// Catches: a fsync for every record. The journal is held up once; what arrives meanwhile must become one commit.
func TestGroupCommit(t *testing.T) {
	log := &memoryJournal{}
	d, _ := furnished(t, log, 1, 1, 1000)
	const n = 50
	log.mu.Lock()
	before := log.commits
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			if _, err := post(t.Context(), d, 1, fmt.Sprintf("%d@example.com", i)); err != nil {
				t.Error(err)
			}
		})
	}
	waitFor(t, func() bool { return d.seats.operator(1).LooksOpen() && loadOf(d.seats.operator(1)) == n })
	log.mu.Unlock()
	wg.Wait()
	if commits := log.commits - before; commits > 4 {
		t.Errorf("%d contacts took %d commits", n, commits)
	}
}

func loadOf(o *seat) int {
	o.Lock()
	defer o.Unlock()
	return o.Load
}

func waitFor(t *testing.T, done func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for limit := time.After(10 * time.Second); !done(); {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatal("waited 10 s in vain")
		}
	}
}

// BenchmarkCreateContact is the whole way through the actors, 64 clients, without a disk.
func BenchmarkCreateContact(b *testing.B) {
	d, _ := furnished(b, &memoryJournal{}, 4, 12, domain.MaxLoadLimit)
	b.ReportAllocs()
	b.SetParallelism(32)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			c, err := post(b.Context(), d, 1, "a@example.com")
			if err == nil {
				_, err = d.CloseContact(b.Context(), c.ID, "", by(3))
			}
			if err != nil {
				b.Error(err)
			}
		}
	})
}

// Catches: an operator that is read outside of its lock while an admin changes it, and two transfers that lock each
// other out. Run with the race detector.
func TestTransfersAgainstChanges(t *testing.T) {
	d, _ := furnished(t, &memoryJournal{}, 1, 2, 100)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			c, err := post(t.Context(), d, 1, fmt.Sprintf("%d@example.com", i))
			for n := range 50 {
				if err == nil {
					_, err = d.AssignContact(t.Context(), c.ID, domain.OperatorID(1+(i+n)%2), true, by(3))
				}
				if err == nil {
					_, err = d.ChangeOperator(t.Context(), domain.OperatorID(1+n%2), domain.OperatorPatch{MaxLoad: new(n)}, by(3))
				}
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}
