package domain

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

var (
	dayContacts = flag.Int("day.contacts", 20_000, "contacts in the simulated day")
	daySeed     = flag.Uint64("day.seed", 0, "simulate the day of this seed; 0 = a random one")
)

// maxDayLag is how far a lag may be from 0 in contacts. There is no proof for it: see TestLagsStaySmallWithStickyDecisions.
const maxDayLag = 4

// Catches what only a whole day shows: a contact that waits though somebody is eligible, one that is overtaken, an
// operator past its limits, lags that drift, counters that do not add up. All of it is judged by the committed records.
//
// The whole size is run by go test ./domain -run TestDay -v -day.contacts=2000000.
func TestDay(t *testing.T) {
	seed := *daySeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("seed %d; rerun: go test ./domain -run 'TestDay$' -v -day.contacts=%d -day.seed=%d", seed, *dayContacts, seed)
	d := newDay(t, *dayContacts, seed)
	d.run()
	t.Log("\n" + d.table())
	for _, s := range d.seen {
		if len(s.kept) != 0 {
			t.Errorf("source %d: %d contacts waited though somebody was eligible, the first are %v", s.id, len(s.kept), firstOf(s.kept, 10))
		}
		if s.lag >= maxDayLag*One {
			t.Errorf("source %d: a lag was %.3f", s.id, float64(s.lag)/One)
		}
	}
	d.checkEnd()
}

// Catches a day that its seed does not repeat.
func TestDayIsRepeatedByItsSeed(t *testing.T) {
	var tables []string
	for _, seed := range []uint64{7, 7, 8} {
		d := newDay(t, 1_500, seed)
		d.run()
		tables = append(tables, d.table())
	}
	if tables[0] != tables[1] || tables[0] == tables[2] {
		t.Errorf("seed 7:\n%s\nagain:\n%s\nseed 8:\n%s", tables[0], tables[1], tables[2])
	}
}

// Catches a watcher that looks away: it must notice whoever waits for nothing.
func TestDayNoticesWhoWaitsForNothing(t *testing.T) {
	d := newDay(t, 100, 1)
	open := func(op OperatorID) bool { o, _ := d.catalog.Operator(op); return o.Open() }
	ops := slices.DeleteFunc(d.linked(1), func(op OperatorID) bool { return !open(op) })
	for _, op := range ops {
		d.change(op, OperatorPatch{Active: ptr(false)})
	}
	id := d.contact(1, d.lead(), 0, 0)
	d.look()
	d.say(&OperatorChanged{ID: d.linked(1)[0], Active: true, MaxLoad: 1}) // past the floor, which would have seen to it
	d.look()
	if got := d.seen[0].kept; !got[id] || len(got) != 1 {
		t.Errorf("got %v, want contact %d", got, id)
	}
}

func firstOf(ids map[ContactID]bool, n int) (some []ContactID) {
	for id := range ids {
		some = append(some, id)
	}
	slices.Sort(some)
	return some[:min(n, len(some))]
}

// table is what the day was like, a line a source.
func (d *day) table() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d contacts, %d operators, mean handling time %.1f s, %d records\n", d.contacts, len(d.operators), d.handling, d.catalog.Index())
	fmt.Fprintf(&b, "%6s %9s %8s %9s %8s %9s %8s %9s %11s | waits in s: %8s %8s %8s %9s\n",
		"source", "contacts", "refused", "automatic", "sticky", "uncharged", "released", "largest", "waited for", "p50", "p90", "p99", "max")
	fmt.Fprintf(&b, "%6s %9s %8s %9s %8s %9s %8s %9s %11s |\n", "", "", "", "", "", "", "", "lag", "nothing")
	for _, s := range d.seen {
		slices.Sort(s.waits)
		fmt.Fprintf(&b, "%6d %9d %8d %9d %8d %9d %8d %9.3f %11d |             %8.1f %8.1f %8.1f %9.1f\n",
			s.id, len(s.waits), s.refused, s.automatic, s.sticky, s.uncharged, s.released, float64(s.lag)/One, len(s.kept),
			s.wait(50), s.wait(90), s.wait(99), s.wait(100))
	}
	return b.String()
}

// wait is a percentile of the waits for the first operator, in seconds.
func (s *watched) wait(percent int) float64 {
	if len(s.waits) == 0 {
		return 0
	}
	return float64(s.waits[(len(s.waits)-1)*percent/100]) / 1e6
}
