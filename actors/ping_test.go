package actors

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"minicrm/domain"
)

// stuck is a mailbox that keeps whoever tells it something.
type stuck struct {
	sync.Locker
	entered chan struct{}
}

func (s stuck) Tell(any) {
	close(s.entered)
	s.Lock()
	defer s.Unlock()
}

// Catches: a watchdog that is fed although an actor hangs. Each case holds a lock, and gives an actor something to do for
// which it needs that lock.
func TestPingNeedsEveryActor(t *testing.T) {
	log := &memoryJournal{}
	d, _ := furnished(t, log, 3, 1, 5)
	check(t, d.Ping(t.Context()))
	committed := len(log.records)
	own, entered := new(sync.Mutex), make(chan struct{})
	rename := &changeOperator{id: 1, OperatorPatch: domain.OperatorPatch{Name: new("new")}}
	toStuck := &newContact{desk: &desk{mailbox: stuck{own, entered}}, NewContact: domain.NewContact{Source: 1, Email: "a@example.com"}}
	for _, c := range []struct {
		name    string
		lock    sync.Locker
		box     mailbox
		message any
	}{
		{"leads", own, d.leads, toStuck},
		{"source", d.seats.operator(1), d.seats.sources.get(2), &setLink{operator: 1, weight: 7}},
		{"operators", d.seats.operator(1), d.operators, rename},
		{"journal", &log.mu, d.operators, rename},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.lock.Lock()
			if c.box == d.leads { // who tells leads something runs them
				go c.box.Tell(c.message)
				<-entered
			} else {
				c.box.Tell(c.message)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			if err := d.Ping(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Ping: %v, while an actor hangs", err)
			}
			c.lock.Unlock()
			check(t, d.Ping(t.Context()))
		})
	}
	if got := len(log.records) - committed; got != 3 { // a lead, a link, a name
		t.Errorf("%d records were written", got)
	}
}

// Catches: a Ping that waits for ever for a dispatcher that is down.
func TestPingOfAFailedDispatcher(t *testing.T) {
	log := &memoryJournal{}
	d, fatal := furnished(t, log, 1, 1, 5)
	log.failWith(errors.New("no disk"))
	if _, err := post(t.Context(), d, 1, "a@example.com"); err == nil {
		t.Error("a contact without a journal")
	}
	if err := <-fatal; err == nil {
		t.Error("it failed for no reason")
	}
	if err := d.Ping(t.Context()); err == nil {
		t.Error("a dispatcher that failed answers")
	}
}
