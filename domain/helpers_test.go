package domain

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

// Random tests come in two kinds. Those on rapid print how to run a failure again by themselves. Those that need
// uniform randomness over long runs take a seed, print it, and run again with -domain.seed.
var seedFlag = flag.Uint64("domain.seed", 0, "run the seeded tests with this seed only")

// seeded runs f with a few random seeds, or with the one of the flag.
func seeded(t *testing.T, runs int, f func(t *testing.T, rng *rand.Rand)) {
	t.Helper()
	name := t.Name()
	for run := range runs {
		seed := rand.Uint64()
		if *seedFlag != 0 {
			seed = *seedFlag
		}
		t.Run(fmt.Sprint(run), func(t *testing.T) {
			t.Logf("seed %d; rerun: go test ./domain -run '%s' -domain.seed=%d", seed, name, seed)
			f(t, rand.New(rand.NewPCG(seed, 0)))
		})
		if *seedFlag != 0 {
			return
		}
	}
}

// commandLine is the flags that were given; to be called before any is set here.
var commandLine = sync.OnceValue(func() map[string]bool {
	given := map[string]bool{}
	flag.Visit(func(f *flag.Flag) { given[f.Name] = true })
	return given
})

// property runs a rapid test with as many checks and, for state machines, steps as this test deserves; what the
// command line says about them goes first.
func property(t *testing.T, checks, steps int, f func(*rapid.T)) {
	t.Helper()
	given := commandLine()
	for name, value := range map[string]int{"rapid.checks": checks, "rapid.steps": steps} {
		if given[name] {
			continue
		}
		before := flag.Lookup(name).Value.String()
		if err := flag.Set(name, fmt.Sprint(value)); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = flag.Set(name, before) }()
	}
	rapid.Check(t, f)
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// codeOf is the code of a refusal; "" when err is none.
func codeOf(err error) Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

func ptr[T any](v T) *T { return &v }

// ledgerOf is a ledger of operators 1, 2, 3 ... with these weights.
func ledgerOf(weights ...int64) *Ledger {
	l := &Ledger{}
	for i, w := range weights {
		l.Set(OperatorID(i+1), w)
	}
	return l
}

// everybody is the set of all rows that have a weight.
func everybody(l *Ledger) Rows {
	set := Rows{}.cleared(len(l.rows))
	for row := range l.rows {
		if l.rows[row].Weight > 0 {
			set.Add(row)
		}
	}
	return set
}

// rowsOf is a set of rows, by their operators.
func rowsOf(l *Ledger, ops ...OperatorID) Rows {
	set := Rows{}.cleared(len(l.rows))
	for _, op := range ops {
		row, linked := l.Find(op)
		if !linked {
			panic(fmt.Sprintf("operator %d is not linked", op))
		}
		set.Add(row)
	}
	return set
}

// decide is one whole decision.
func decide(l *Ledger, set Rows) OperatorID {
	row := l.Pick(set)
	l.Charge(set, row, Automatic)
	return l.rows[row].Operator
}

func sumOfLags(l *Ledger) (sum int64) {
	for i := range l.rows {
		sum += l.rows[i].Lag
	}
	return sum
}

// refused checks that the current command was refused with this code; "" = it was answered that nothing changes.
func (w *world) refused(code Code) {
	w.t.Helper()
	if len(w.answers) != 1 || codeOf(w.answers[0]) != code || (code == "") != (w.answers[0] == nil) || len(w.records) != 0 {
		w.t.Errorf("answers %v and records %+v, want only %q", w.answers, w.records, code)
	}
}

// committed checks which events the records of the current command have, a string a record.
func (w *world) committed(want ...string) {
	w.t.Helper()
	var got []string
	for _, r := range w.records {
		var kinds string
		for _, e := range r.Events {
			kinds += " " + strings.TrimPrefix(fmt.Sprintf("%T", e), "*domain.")
		}
		got = append(got, kinds[1:])
	}
	if !slices.Equal(got, want) || len(w.answers) != 0 {
		w.t.Errorf("committed %q with answers %v, want %q", got, w.answers, want)
	}
}

// with checks who has a contact; 0 = it is open.
func (w *world) with(id ContactID, op OperatorID) {
	w.t.Helper()
	c, _ := w.catalog.Contact(id)
	if c.Operator != op || (c.Status == StatusOpen) != (op == 0) {
		w.t.Errorf("contact %d has status %s and is with operator %d, want %d", id, c.Status.Name(), c.Operator, op)
	}
}

// is checks an operator's state and load.
func (w *world) is(op OperatorID, state string, load int) {
	w.t.Helper()
	if o, found := w.catalog.Operator(op); !found || o.State() != state || o.Load != load {
		w.t.Errorf("operator %+v (there: %v), want it %s with load %d", o, found, state, load)
	}
}

// team is a world with one source of backlog auto, and an operator of weight 1 for each of these numbers of seats.
func team(t testing.TB, seats ...int) *world {
	w := newWorld(t)
	w.source(BacklogAuto)
	for _, n := range seats {
		w.link(1, w.operator(true, n), 1)
	}
	return w
}

// done delivers what is in flight and checks that all agrees, and that nobody waits who need not.
func (w *world) done() {
	w.t.Helper()
	w.deliver()
	if err := w.model.rest(); err != nil {
		w.t.Fatal(err)
	}
	w.check()
}
