package actors

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"minicrm/domain"
)

var (
	simSeed  = flag.Uint64("sim.seed", 0, "run the simulation of this seed only")
	simFirst = flag.Uint64("sim.first", uint64(time.Now().UnixNano()), "the first seed to simulate")
	simRuns  = flag.Int("sim.runs", 150, "number of seeds to simulate")
	simLives = 4 // starts of the process in one run
)

// TestSimulation checks DESIGN.md's invariants 1-4 after every record of random histories, 3 and 7 whenever the
// process is at rest, and 5 after every crash.
func TestSimulation(t *testing.T) {
	if *simSeed != 0 {
		simulate(t, *simSeed)
		return
	}
	happened := map[string]int{}
	for i := range *simRuns {
		for _, r := range simulate(t, *simFirst+uint64(i)) {
			for _, e := range r.Events {
				happened[kindOf(e)]++
			}
		}
		if t.Failed() {
			return
		}
	}
	t.Logf("%d seeds from %d: %v", *simRuns, *simFirst, happened)
	for _, kind := range kinds {
		if happened[kind] == 0 && *simRuns >= 100 {
			t.Errorf("never happened: %s", kind)
		}
	}
}

// kinds are the events that a simulation must have, with their ways of assigning.
var kinds = []string{
	"OperatorCreated", "OperatorChanged", "OperatorDeleted", "OperatorDrawn", "SourceCreated", "SourceChanged", "SourceDeleted",
	"LinkSet", "LinkRemoved", "LeadCreated", "LeadErased", "ContactCreated", "ContactReleased", "ContactReopened",
	"ContactPrioritised", "ContactClosed", "ContactsArchived",
	"ContactAssigned automatic", "ContactAssigned sticky", "ContactAssigned manual", "ContactAssigned forced",
}

func kindOf(e domain.Event) string {
	kind := strings.TrimPrefix(fmt.Sprintf("%T", e), "*domain.")
	if a, ok := e.(*domain.ContactAssigned); ok {
		kind += " " + a.How.Name()
	}
	return kind
}

// simulation is one history over several lives of the process.
type simulation struct {
	*world
	disk      *disk
	auditor   *auditor
	clients   *clients
	committed *catalog
	seats     *seats
	sources   map[domain.SourceID]*source
	archiving sync.Locker // see Dispatcher.archiving
}

func simulate(t *testing.T, seed uint64) []domain.Record {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 0))
	s := &simulation{
		world:   &world{rng: rng, stamps: map[domain.Event]stamp{}},
		disk:    &disk{shown: domain.NewCatalog()},
		clients: newClients(rng),
	}
	s.auditor = newAuditor(s.stamps)
	s.furnish()
	err := func() error {
		for range simLives {
			if err := s.live(rng); err != nil {
				return err
			}
		}
		return nil
	}()
	if err != nil {
		t.Errorf("seed %d: %v (rerun: go test ./actors -run TestSimulation -sim.seed=%d)", seed, err, seed)
	}
	return s.disk.durable
}

// furnish writes the first records: a few sources and operators, all linked.
func (s *simulation) furnish() {
	write := func(e domain.Event) {
		r := domain.Record{Events: []domain.Event{e}}
		s.disk.durable = append(s.disk.durable, r)
		if err := s.disk.shown.Apply(r); err != nil {
			panic(err)
		}
	}
	operators, sources := 1+s.rng.IntN(3), 1+s.rng.IntN(3)
	for op := range operators {
		write(&domain.OperatorCreated{ID: domain.OperatorID(op + 1), Active: true, MaxLoad: 1 + s.rng.IntN(2)})
	}
	for id := range sources {
		write(&domain.SourceCreated{ID: domain.SourceID(id + 1), Backlog: domain.BacklogAuto})
		for op := range operators {
			write(&domain.LinkSet{Source: domain.SourceID(id + 1), Operator: domain.OperatorID(op + 1), Weight: int64(1 + s.rng.IntN(3))})
		}
	}
}

// live starts the process, lets clients drive it, and ends it with a crash, now and then after a rest.
func (s *simulation) live(rng *rand.Rand) error {
	s.world = &world{rng: rng, stay: rng.Float64(), clock: s.clock, stamps: s.stamps}
	s.disk.w = s.world
	defer s.world.crash()
	if err := s.start(); err != nil {
		return fmt.Errorf("start: %w", err)
	}
	if err := s.rest("after the start"); err != nil {
		return err
	}
	s.clients.start(s)
	for range rng.IntN(16) {
		s.clients.pausing = false
		if s.run(50 << rng.IntN(7)); s.failure != nil {
			return s.failure
		}
		if rng.IntN(4) > 0 {
			s.clients.pausing = true
			if !s.run(3_000_000) {
				return fmt.Errorf("the process does not come to rest")
			}
			if err := s.rest("at rest"); err != nil {
				return err
			}
		}
	}
	return s.crash()
}

// start does what Start does, without protoactor.
func (s *simulation) start() error {
	committed, err := s.disk.Recover(nil)
	if err != nil {
		return err
	}
	if err := s.clients.verify(committed); err != nil {
		return err
	}
	if err := drain(committed, s.disk, committed.LastTime()); err != nil {
		return err
	}
	s.committed = &catalog{committed: committed}
	s.sources = map[domain.SourceID]*source{}
	s.archiving = s.lock()
	passing := newPassing(s.world)
	log := s.host("journal", func(self mailbox) decider {
		return &journal{
			log: s.disk, catalog: s.committed, passing: passing, self: self, fail: func(err error) { s.failure = err },
			snapshots: snapshots{every: 20, ctx: context.Background(), beside: s.beside},
		}
	})
	s.seats = &seats{memory: s.world, journal: log}
	restore(s.committed, s.seats, nil, s.spawnSource)
	s.clients.leads = s.host("leads", func(mailbox) decider { return &leads{committed.Registry(), log, passing, s.committed} })
	s.clients.operators = s.host("operators", func(mailbox) decider {
		return &operators{s.seats, committed.NextOperator()}
	})
	return nil
}

func (s *simulation) spawnSource(id domain.SourceID, d *source) mailbox {
	s.sources[id] = d
	return s.host(fmt.Sprintf("source-%d", id), func(mailbox) decider { return d })
}

// crash cuts the power, and audits every prefix of what the disk kept.
func (s *simulation) crash() error {
	if s.failure != nil {
		return s.failure
	}
	s.disk.crash()
	if s.failure != nil {
		return s.failure
	}
	return s.auditor.audit(s.disk.durable)
}

// rest checks what holds when nothing is in flight: work conserving, and live state is committed state.
func (s *simulation) rest(when string) error {
	if s.failure != nil {
		return s.failure
	}
	if err := s.auditor.audit(s.disk.durable); err != nil {
		return fmt.Errorf("%s: %w", when, err)
	}
	if err := s.auditor.Conserving(); err != nil {
		return fmt.Errorf("%s: %w", when, err)
	}
	if err := s.auditor.Catalog().Check(); err != nil {
		return fmt.Errorf("%s: %w", when, err)
	}
	replayed, err := recoverFrom(nil, s.disk.durable)
	if err != nil {
		return fmt.Errorf("%s: replay: %w", when, err)
	}
	if err := replayed.Same(s.committed.committed); err != nil {
		return fmt.Errorf("%s: same state: replay gives otherwise: %w", when, err)
	}
	fresh := &seats{memory: machine{}, journal: nil}
	desks := map[domain.SourceID]*source{}
	restore(&catalog{committed: replayed}, fresh, nil, func(id domain.SourceID, d *source) mailbox { desks[id] = d; return nil })
	return s.compare(when, fresh, desks)
}

// compare holds the live state against the one that was built from the journal.
func (s *simulation) compare(when string, fresh *seats, desks map[domain.SourceID]*source) error {
	for id, want := range desks {
		if got := s.sources[id].desk.State(); !reflect.DeepEqual(got, want.desk.State()) {
			return fmt.Errorf("%s: same state: desk %d is\n%+v\nbut replay gives\n%+v", when, id, got, want.desk.State())
		}
		if err := sameHeads(s.seats.sources.get(int64(id)).heads, fresh.sources.get(int64(id)).heads); err != nil {
			return fmt.Errorf("%s: same state: source %d publishes %w", when, id, err)
		}
	}
	live, want := s.seats.operators.all(), fresh.operators.all()
	return errorUnless(slices.EqualFunc(live, want, func(a, b *seat) bool {
		return a.Operator == b.Operator && a.LooksOpen() == b.LooksOpen() && a.LooksActive() == b.LooksActive()
	}), "%s: same state: the seats are %v, but replay gives %v", when, live, want)
}

// sameHeads compares what a source publishes; a word that was never needed is as good as 0.
func sameHeads(live, want *heads) error {
	if a, b := live.all.Load(), want.all.Load(); a != b {
		return fmt.Errorf("%d instead of %d", a, b)
	}
	for op := range maps.Keys(live.owns) {
		if a, b := live.of(op, machine{}).Own.Load(), want.of(op, machine{}).Own.Load(); a != b {
			return fmt.Errorf("%d for operator %d instead of %d", a, op, b)
		}
	}
	for op := range maps.Keys(want.owns) {
		if a, b := live.of(op, machine{}).Own.Load(), want.of(op, machine{}).Own.Load(); a != b {
			return fmt.Errorf("%d for operator %d instead of %d", a, op, b)
		}
	}
	return nil
}

func errorUnless(ok bool, format string, args ...any) error {
	if ok {
		return nil
	}
	return fmt.Errorf(format, args...)
}
