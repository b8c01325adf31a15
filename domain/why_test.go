package domain

import (
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
)

// told is a decision in a line: the rule, who among whom with lags in hundredths before>after, and who else was not.
func (w *world) told(id ContactID) string {
	d, err := w.catalog.Decision(id)
	if err != nil {
		return string(codeOf(err))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %d of", d.Rule, d.Operator)
	if !d.Charged {
		b.WriteString(" nobody")
	}
	for _, c := range d.Eligible {
		fmt.Fprintf(&b, " %d:%d>%d", c.Operator, hundredths(c.Lag), hundredths(c.LagNow))
	}
	for _, e := range d.Excluded {
		fmt.Fprintf(&b, ", %d %s", e.Operator, e.Reason)
	}
	return b.String()
}

// hundredths is an amount of contacts, rounded.
func hundredths(units int64) int64 { return int64(math.Round(float64(units) * 100 / One)) }

// Catches an answer to "why him" that a reader with section 5 and a pencil would not give.
func TestDecisionRules(t *testing.T) {
	w := team(t, 1000, 1000, 1000)
	want := func(id ContactID, told string) {
		t.Helper()
		if got := w.told(id); got != told {
			t.Errorf("contact %d: got %q, want %q", id, got, told)
		}
	}
	want(w.contact(1, "a@example.com"), "due 1 of 1:0>-67 2:0>33 3:0>33")
	want(w.contact(1, "a@example.com"), "due 2 of 1:-67>-33 2:33>-33 3:33>67")
	w.activate(3, false)
	want(w.contact(1, "a@example.com"), "largest_lag 1 of 1:-33>-83 2:-33>17, 3 inactive")
	w.activate(2, false)
	want(w.contact(1, "a@example.com"), "only 1 of 1:-83>-83, 2 inactive, 3 inactive")
	w.activate(2, true)
	w.activate(3, true)
	want(w.returning(1), "sticky 1 of 1:-83>-150 2:17>50 3:67>100")
	want(w.returning(1), "sticky 1 of nobody") // it would be at -2.17
	want(w.contact(1, "a@example.com"), "overdue 3 of 1:-150>-117 2:50>83 3:100>33")
	id := w.contact(1, "a@example.com")
	w.assign(id, 1, false)
	want(id, "manual 1 of nobody")
	w.release(id)
	if got := w.told(id); !strings.HasSuffix(got, ", 1 released it") {
		t.Errorf("got %q", got)
	}
	w.done()
}

// Catches a wrong reason why somebody did not get it.
func TestDecisionReasons(t *testing.T) {
	w := team(t, 5, 0, 5, 5, 5, 5)
	w.link(1, 4, 0)
	w.activate(5, false)
	w.assign(w.contact(1, "a@example.com"), 6, true)
	w.drain(6)
	w.assign(w.contact(1, "a@example.com"), 1, true)
	held := w.heldBy(1)[0]
	w.release(held)
	if got, want := w.told(held), "3 of 3:"; !strings.Contains(got, want) ||
		!strings.HasSuffix(got, ", 1 released it, 2 full, 4 weight 0, 5 inactive, 6 draining") {
		t.Errorf("got %q", got)
	}
	w.done()
}

// Catches an answer about what was not decided, or is not there.
func TestDecisionRefusals(t *testing.T) {
	w := team(t, 1)
	id, open := w.contact(1, "a@example.com"), w.contact(1, "a@example.com")
	w.close(open)
	w.close(id)
	for _, want := range []struct {
		id   ContactID
		told string
	}{{id, "only 1 of 1:0>0"}, {open, "no_decision"}, {99, "contact_not_found"}} {
		if got := w.told(want.id); got != want.told {
			t.Errorf("contact %d: got %q, want %q", want.id, got, want.told)
		}
	}
	w.archive(id)
	if got := w.told(id); got != "contact_archived" {
		t.Errorf("got %q", got)
	}
}

// share is a row of shares in a line: expected contacts in hundredths over eligible decisions, and what was received.
func share(s Share) string {
	return fmt.Sprintf("%d: %d/%d got %d+%d+%d", s.Operator, hundredths(s.Expected), s.Eligible, s.Automatic, s.Sticky, s.Manual)
}

// Catches shares that count what was before, that forget the sticky or the manual ones, that expect something of who was
// not eligible, or that call the unlinked a share.
func TestShares(t *testing.T) {
	w := team(t, 1000, 1000)
	w.link(1, 2, 3)
	for range 4 {
		w.contact(1, "a@example.com")
	}
	since := w.now
	want := func(since Time, decisions, manual int, rows ...string) {
		t.Helper()
		tally, found := w.catalog.Tally(1, since)
		s := tally.Count()
		var got []string
		for _, row := range s.Rows {
			got = append(got, share(row))
		}
		if !found || s.Decisions != decisions || s.Manual != manual || !s.Complete || s.Since != since || !reflect.DeepEqual(got, rows) {
			t.Errorf("got %+v with rows %q, want %d decisions, %d manual, %q", *s, got, decisions, manual, rows)
		}
	}
	want(0, 4, 0, "1: 100/4 got 1+0+0", "2: 300/4 got 3+0+0")
	want(since, 1, 0, "1: 25/1 got 0+0+0", "2: 75/1 got 1+0+0")
	want(since+1, 0, 0, "1: 0/0 got 0+0+0", "2: 0/0 got 0+0+0")
	w.activate(2, false)
	w.contact(1, "a@example.com")
	w.activate(2, true)
	w.returning(1)
	w.assign(1, 1, false)
	w.draw(1, 1, 2)
	want(since+1, 3, 1, "1: 150/3 got 1+1+1", "2: 150/2 got 1+0+0")
	w.unlink(1, 1)
	want(0, 7, 1, "2: 450/6 got 4+0+0")
	if _, found := w.catalog.Tally(9, 0); found {
		t.Error("shares of no source")
	}
}

// Catches shares whose expectations do not add up to what was decided, and a trail's end that is passed over in silence.
func TestSharesOfALongTrail(t *testing.T) {
	h := newHouse(t)
	h.source(Source{})
	h.lead()
	for op := range OperatorID(3) {
		h.link(1, h.operator(100), int64(op+1))
	}
	for range KeptDecisions + 3*legSize {
		h.now += 10
		if id := h.contact(1, 1, 0, 0); id > 20 {
			h.close(1, id-20)
		}
	}
	shares := func(since Time) *Shares {
		tally, _ := h.catalog.Tally(1, since)
		return tally.Count()
	}
	all := shares(0)
	if all.Complete || all.Since <= 0 || all.Decisions < KeptDecisions || all.Decisions > KeptDecisions+2*legSize {
		t.Errorf("got %+v", *all)
	}
	last := shares(h.now - 10*500 + 1)
	if !last.Complete || last.Decisions != 500 {
		t.Errorf("got %+v, want the last 500 decisions", *last)
	}
	for _, s := range []*Shares{all, last} {
		var expected int64
		received := 0
		for _, row := range s.Rows {
			expected += row.Expected
			received += row.Automatic
			if off := row.Expected - int64(row.Automatic)*One; off > One || off < -One {
				t.Errorf("operator %d got %d of %.2f", row.Operator, row.Automatic, float64(row.Expected)/One)
			}
			if row.Eligible != s.Decisions {
				t.Errorf("operator %d was eligible in %d of %d decisions", row.Operator, row.Eligible, s.Decisions)
			}
		}
		if received != s.Decisions || (expected+One/2)/One != int64(s.Decisions) {
			t.Errorf("%d received, %.3f expected, of %d", received, float64(expected)/One, s.Decisions)
		}
	}
}

// Catches a preview that is not what then happens, or that makes something happen.
func TestPreview(t *testing.T) {
	for name, c := range map[string]struct {
		before func(*world)
		want   []OperatorID
	}{
		"free":         {func(*world) {}, []OperatorID{1, 2, 1, 2, 2, 0}},
		"nobody":       {func(w *world) { w.activate(1, false); w.activate(2, false) }, []OperatorID{0, 0}},
		"weight 0":     {func(w *world) { w.link(1, 1, 0) }, []OperatorID{2, 2, 2, 0}},
		"half full":    {func(w *world) { w.contact(1, "a@example.com"); w.contact(1, "a@example.com") }, []OperatorID{1, 2, 2, 0}},
		"others wait":  {func(w *world) { w.fill(6) }, []OperatorID{0, 0}},
		"but not him":  {func(w *world) { w.fill(5); w.release(1) }, []OperatorID{1, 0}},
		"manual waits": {func(w *world) { w.fill(6); w.edit(1, SourcePatch{Backlog: ptr(BacklogManual)}); w.close(1) }, []OperatorID{1, 0}},
	} {
		w := team(t, 2, 3)
		c.before(w)
		w.done()
		before := dump(w.catalog)
		p, found := w.catalog.Preview(1)
		got := p.Next(len(c.want))
		if !found || !reflect.DeepEqual(got, c.want) || !reflect.DeepEqual(dump(w.catalog), before) {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
		for _, want := range c.want {
			w.with(w.contact(1, "b@example.com"), want)
		}
		w.done()
	}
	if _, found := NewCatalog().Preview(1); found {
		t.Error("a preview of no source")
	}
}

// fill makes n contacts of source 1.
func (w *world) fill(n int) {
	for range n {
		w.contact(1, "a@example.com")
	}
}
