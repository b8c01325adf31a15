package domain

import (
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// ledgerEvent is a decision as its event carries it, or a link change.
type ledgerEvent struct {
	op     OperatorID
	among  Among
	weight int64
	kind   string
	how    How
}

func (e ledgerEvent) replay(t *rapid.T, l *Ledger) {
	switch e.kind {
	case "link":
		l.Set(e.op, e.weight)
	case "unlink":
		l.Remove(e.op)
	default:
		if err := l.Replay(e.op, e.among, e.how); err != nil {
			t.Fatalf("%+v: %v", e, err)
		}
	}
}

// replayed is a ledger that decides, one that follows it event by event, and what the next event's kind must be.
type replayed struct {
	live, follower Ledger
	set            Rows // one buffer for all decisions, as a desk has it
	events         []ledgerEvent
	spelled        Rows // what the next decision may call the same set
	kinds          map[SetKind]int
}

func (r *replayed) commit(t *rapid.T, e ledgerEvent) {
	r.events = append(r.events, e)
	e.replay(t, &r.follower)
	r.same(t, &r.follower)
}

func (r *replayed) same(t *rapid.T, other *Ledger) {
	if !reflect.DeepEqual(r.live.rows, other.rows) || r.live.decisions != other.decisions || r.live.linked != other.linked {
		t.Fatalf("after %+v\nlive:     %+v\nreplayed: %+v", r.events[len(r.events)-1], r.live, *other)
	}
}

// choose makes set the links of a mask that have a weight.
func (r *replayed) choose(mask int) {
	r.set = r.set.cleared(len(r.live.rows))
	for row := range r.live.rows {
		if mask>>row&1 == 1 && r.live.rows[row].Weight > 0 {
			r.set.Add(row)
		}
	}
}

// decide is an assignment whose first takes fail: each failure drops an operator and picks again.
func (r *replayed) decide(t *rapid.T, failures int) {
	for r.set.Count() > 0 {
		row := r.live.Pick(r.set)
		if r.set.Count() > 1 && !slices.Equal(r.set, r.spelled) {
			r.spelled = nil
		}
		if failures--; failures >= 0 {
			r.set.Remove(row)
			continue
		}
		among := r.live.Among(r.set)
		r.expect(t, among.Kind)
		r.live.Charge(r.set, row, Automatic)
		r.commit(t, ledgerEvent{op: r.live.rows[row].Operator, among: among, how: Automatic})
		return
	}
}

// expect checks how the set was written down: briefly whenever that is possible.
func (r *replayed) expect(t *rapid.T, got SetKind) {
	want := SpelledSet
	switch {
	case r.set.Count() == 1:
		want = Alone
	case r.spelled != nil:
		want = SameSet
	default:
		r.spelled = slices.Clone(r.set)
	}
	if got != want {
		t.Fatalf("set %b was written down as kind %d, want %d", r.set, got, want)
	}
	r.kinds[got]++
}

// Catches any difference between a decision and its replay: an event that carries too little, a set that is called the
// same and is not, a failed take that leaves something behind, an event that shares memory with the decider.
func TestLedgerReplay(t *testing.T) {
	kinds := map[SetKind]int{}
	property(t, 150, 100, func(t *rapid.T) {
		r := &replayed{kinds: kinds}
		operator := rapid.Map(rapid.IntRange(1, 80), func(i int) OperatorID { return OperatorID(i) })
		few := rapid.SampledFrom([]int{3, 12, 63}).Draw(t, "few")
		for op := range rapid.IntRange(1, 70).Draw(t, "links") {
			e := ledgerEvent{kind: "link", op: OperatorID(op + 1), weight: rapid.Int64Range(0, 9).Draw(t, "weight")}
			e.replay(t, &r.live)
			r.commit(t, e)
		}
		mask := 1<<few - 1
		t.Repeat(map[string]func(*rapid.T){
			"eligible": func(t *rapid.T) { mask = rapid.IntRange(0, 1<<few-1).Draw(t, "mask") },
			"decide": func(t *rapid.T) {
				for range rapid.IntRange(1, 10).Draw(t, "decisions") {
					r.choose(mask)
					r.decide(t, 0)
				}
			},
			"fail": func(t *rapid.T) {
				r.choose(mask)
				r.decide(t, rapid.IntRange(1, few+1).Draw(t, "failures"))
			},
			"link": func(t *rapid.T) {
				e := ledgerEvent{kind: "link", op: operator.Draw(t, "operator"), weight: rapid.Int64Range(0, 9).Draw(t, "weight")}
				r.spelled = nil
				e.replay(t, &r.live)
				r.commit(t, e)
			},
			"unlink": func(t *rapid.T) {
				e := ledgerEvent{kind: "unlink", op: operator.Draw(t, "operator")}
				if _, linked := r.live.Find(e.op); linked {
					r.spelled = nil
				}
				e.replay(t, &r.live)
				r.commit(t, e)
			},
		})
		var late Ledger
		for _, e := range r.events {
			e.replay(t, &late)
		}
		r.same(t, &late)
	})
	for _, kind := range []SetKind{Alone, SameSet, SpelledSet} {
		if kinds[kind] == 0 {
			t.Errorf("no decision was of kind %d: %v", kind, kinds)
		}
	}
	t.Logf("decisions by kind: %v", kinds)
}

// Catches a set that is spelled out in each event: while nothing changes, one in the journal is enough.
func TestLedgerSpellsASetOnce(t *testing.T) {
	l, kinds := ledgerOf(1, 2, 3, 4), []SetKind{}
	step := func(set Rows) {
		row := l.Pick(set)
		kinds = append(kinds, l.Among(set).Kind)
		l.Charge(set, row, Automatic)
	}
	all := everybody(l)
	step(all)
	step(all)
	step(rowsOf(l, 3)) // alone, and the set before is still the same
	step(all)
	step(rowsOf(l, 1, 2))
	step(all)
	l.Set(4, 9)
	step(all)
	l.Remove(1)
	step(everybody(l))
	step(everybody(l))
	want := []SetKind{SpelledSet, SameSet, Alone, SameSet, SpelledSet, SpelledSet, SpelledSet, SpelledSet, SameSet}
	if !slices.Equal(kinds, want) {
		t.Errorf("got kinds %v, want %v", kinds, want)
	}
}

// Catches a replay that swallows, or panics on, a decision that cannot have been made over these links.
func TestLedgerReplayRefusesMisfits(t *testing.T) {
	spelled := func(rows ...int) Among {
		set := make(Rows, 3)
		for _, row := range rows {
			set.Add(row)
		}
		return Among{Kind: SpelledSet, Rows: set}
	}
	for _, c := range []struct {
		name  string
		op    OperatorID
		among Among
		after []Among // decisions for operator 1 before it
	}{
		{"unknown operator", 9, Among{Kind: Alone}, nil},
		{"operator 0", 0, spelled(0, 1), nil},
		{"alone, but weight 0", 3, Among{Kind: Alone}, nil},
		{"the same set, but none before", 1, Among{Kind: SameSet}, nil},
		{"the same set, but only one was alone", 1, Among{Kind: SameSet}, []Among{{Kind: Alone}}},
		{"the same set, but without the winner", 4, Among{Kind: SameSet}, []Among{spelled(0, 1)}},
		{"a set without the winner", 1, spelled(1, 3), nil},
		{"an empty set", 1, spelled(), nil},
		{"no set", 1, Among{Kind: SpelledSet}, nil},
		{"a row of weight 0", 1, spelled(0, 1, 2), nil},
		{"a row that does not exist", 1, spelled(0, 4), nil},
		{"a row far away", 1, spelled(0, 150), nil},
	} {
		l := ledgerOf(1, 2, 0, 4)
		for _, among := range c.after {
			if err := l.Replay(1, among, Automatic); err != nil {
				t.Fatal(err)
			}
		}
		before := l.Clone()
		if err := l.Replay(c.op, c.among, Automatic); err == nil {
			t.Errorf("%s: no error", c.name)
		}
		if !reflect.DeepEqual(l.rows, before.rows) || l.decisions != before.decisions {
			t.Errorf("%s: it was refused, but changed the ledger", c.name)
		}
	}
}

// Catches an assignment that is not charged and changes lags or who is next, or that is not counted.
func TestLedgerReplayUncharged(t *testing.T) {
	l := ledgerOf(1, 2)
	decide(l, everybody(l))
	want := l.Clone()
	want.rows[0].Manual, want.rows[1].Manual, want.rows[1].Sticky = 2, 1, 1
	for _, a := range []struct {
		op  OperatorID
		how How
	}{{1, Manual}, {1, Forced}, {2, Manual}, {2, Sticky}} {
		if err := l.Replay(a.op, Among{}, a.how); err != nil {
			t.Errorf("operator %d: %v", a.op, err)
		}
	}
	if err := l.Replay(9, Among{}, Manual); err == nil {
		t.Error("operator 9 is not linked")
	}
	if !reflect.DeepEqual(*l, want) {
		t.Errorf("got %+v, want %+v", *l, want)
	}
}

// Catches a link change that keeps the set of before: its rows are not the same links any more.
func TestLedgerReplaySameSetAfterLinkChange(t *testing.T) {
	for name, change := range map[string]func(*Ledger){
		"weight": func(l *Ledger) { l.Set(1, 5) },
		"link":   func(l *Ledger) { l.Set(9, 5) },
		"unlink": func(l *Ledger) { l.Remove(3) },
	} {
		l := ledgerOf(1, 2, 3)
		decide(l, rowsOf(l, 1, 2))
		change(l)
		if err := l.Replay(1, Among{Kind: SameSet}, Automatic); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
