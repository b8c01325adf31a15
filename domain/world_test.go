package domain

import (
	"reflect"
	"slices"

	"pgregory.net/rapid"
)

// The keys of a world are few and soon forgotten, so that both happens.
const (
	worldKeyWindow Time = 40
	worldMaxKeys   int  = 6
)

// world is a dispatcher without actors: desks over a floor, and the catalog that their records build. Its model judges
// each record. Whoever has a world calls a desk, then deliver, then looks at records and answers. Its commands are in
// world_commands_test.go.
type world struct {
	t        rapid.TB
	catalog  *Catalog
	floor    *Floor
	registry *Registry
	desks    map[SourceID]*Desk
	order    []*Desk
	model    *model
	log      []Record // all of them
	records  []Record // of the current command
	answers  []error  // of the current command
	now      Time
	next     ContactID // the id of the next contact
	by       string    // who commands
	frozen   *Frozen   // of some earlier moment
}

func newWorld(t rapid.TB) *world {
	w := &world{t: t, catalog: newWorldCatalog(), model: newModel(worldKeyWindow, worldMaxKeys)}
	w.restore()
	return w
}

func newWorldCatalog() *Catalog {
	c := NewCatalog()
	c.LimitKeys(worldKeyWindow, worldMaxKeys)
	return c
}

// restore builds all live state from the catalog, as a start does. Grants in flight are lost.
func (w *world) restore() {
	w.floor = NewFloor(w.commit, w.answer)
	w.registry, w.next = w.catalog.Registry(), w.catalog.NextContact()
	w.order = w.catalog.Desks(w.floor.For)
	w.floor.Seat(w.catalog.Seatings(w.floor.Shown, w.floor.Heads)...)
	w.desks = map[SourceID]*Desk{}
	for _, d := range w.order {
		w.desks[d.source.ID] = d
	}
}

func (w *world) answer(err error) { w.answers = append(w.answers, err) }

func (w *world) commit(r Record) {
	w.t.Helper()
	if r.At < 1 || r.At > w.now || len(r.Events) == 0 {
		w.t.Fatalf("record %+v has no events or not a time up to %d", r, w.now)
	}
	r.By = w.by
	w.model.flight = len(w.floor.grants) > 0
	if err := w.model.record(r); err != nil {
		w.t.Fatalf("illegal record: %v", err)
	}
	if err := w.catalog.Apply(r); err != nil {
		w.t.Fatal(err)
	}
	w.model.forgetKeys(w.catalog.last)
	w.log, w.records = append(w.log, r), append(w.records, r)
}

// begin starts a command.
func (w *world) begin(c command) Time {
	w.records, w.answers, w.model.decisions, w.model.command = nil, nil, nil, c
	w.now++
	w.by = []string{"", "ann", "bob"}[w.now%3]
	return w.now
}

// deliver hands out grants until none is left. Were they to go round for ever, it would say so.
func (w *world) deliver() {
	w.t.Helper()
	for range 1_000 {
		if len(w.floor.grants) == 0 {
			w.floor.Deliver(w.desks)
			return
		}
		w.deliverOne()
	}
	w.t.Fatalf("grants go round: %+v", w.floor.grants)
}

// deliverOne hands out the oldest grant.
func (w *world) deliverOne() {
	g := w.floor.grants[0]
	w.floor.grants = w.floor.grants[1:]
	w.by, w.model.granting = "", true
	w.desks[g.source].Granted(g.operator, g.at)
	w.model.granting = false
}

// check compares all that must agree: the catalog with the model, with one that replays the log, and with live state.
func (w *world) check() {
	w.t.Helper()
	if err := w.model.differs(w.catalog); err != nil {
		w.t.Fatalf("the catalog differs from the model: %v", err)
	}
	again := newWorldCatalog()
	for _, r := range w.log {
		if err := again.Apply(r); err != nil {
			w.t.Fatalf("replay: %v", err)
		}
	}
	w.checkFrozen()
	if got, want := dump(again), dump(w.catalog); !reflect.DeepEqual(got, want) {
		w.t.Fatalf("replayed:  %+v\ncommitted: %+v", got, want)
	}
	if _, evicted := again.KeyCount(); evicted != w.model.evicted || w.catalog.keys.evicted != evicted {
		w.t.Fatalf("%d keys were evicted, replayed %d, want %d", w.catalog.keys.evicted, evicted, w.model.evicted)
	}
	if err := w.catalog.Check(); err != nil {
		w.t.Fatal(err)
	}
	rebuilt := &world{t: w.t, catalog: again}
	rebuilt.restore()
	for i, d := range rebuilt.order {
		live := w.order[i]
		if got, want := d.State(), live.State(); !reflect.DeepEqual(got, want) || d.ledger.linked != live.ledger.linked {
			w.t.Fatalf("desk rebuilt: %+v\nlive: %+v", got, want)
		}
	}
	if rebuilt.next != w.next {
		w.t.Fatalf("the next contact is %d, rebuilt: %d: ids were wasted", w.next, rebuilt.next)
	}
	if !reflect.DeepEqual(rebuilt.registry, w.registry) {
		w.t.Fatalf("registry rebuilt: %+v, live: %+v", rebuilt.registry, w.registry)
	}
	w.checkSeats(rebuilt)
	w.checkHeads()
}

// checkSeats compares the seats: a live operator's load counts grants in flight too.
func (w *world) checkSeats(rebuilt *world) {
	w.t.Helper()
	granted := map[OperatorID]int{}
	for _, g := range w.floor.grants {
		granted[g.operator]++
	}
	for id, live := range w.floor.seatings {
		s := rebuilt.floor.seatings[id]
		want := s.Operator
		want.Load += granted[id]
		if live.Operator != want {
			w.t.Fatalf("seats rebuilt: %+v with %d granted, live: %+v", s.Operator, granted[id], live.Operator)
		}
		if live.LooksOpen() != live.Open() || live.LooksActive() != live.Active {
			w.t.Fatalf("operator %d shows open = %v, active = %v", id, live.LooksOpen(), live.LooksActive())
		}
		sources := func(s *Seating) (ids []SourceID) {
			for _, e := range s.serves {
				ids = append(ids, e.source)
			}
			return ids
		}
		if !slices.Equal(sources(live), sources(s)) {
			w.t.Fatalf("operator %d serves %v, rebuilt: %v", id, sources(live), sources(s))
		}
	}
}

// checkHeads checks what operators see of the backlogs: the first contact that they may have.
func (w *world) checkHeads() {
	w.t.Helper()
	for id, d := range w.desks {
		if head := w.head(id); head != d.head() {
			w.t.Fatalf("source %d publishes %d, its head is %d", id, head, d.head())
		}
		if n := len(d.shunned); n > 0 && d.backlog.Len() == 0 {
			w.t.Fatalf("source %d shuns %d operators for nobody", id, n)
		}
		for op := range w.model.operators {
			if got, want := w.floor.Heads(id, op).first().Contact(), w.model.firstIn(id, op); got != want {
				w.t.Fatalf("source %d shows contact %d to operator %d, want %d", id, got, op, want)
			}
		}
	}
}

// head is what a source publishes for all operators.
func (w *world) head(source SourceID) Rank { return Rank(headIn(w.floor.heads, source).Load()) }
