package domain

import (
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// orderedModel is a set that sorts itself anew for each question.
type orderedModel map[int64]bool

func (m orderedModel) sorted() []int64 { return slices.Sorted(maps.Keys(m)) }

func (m orderedModel) seek(v int64) (int64, bool) {
	for _, value := range m.sorted() {
		if value >= v {
			return value, true
		}
	}
	return 0, false
}

// orderedCheck compares a set with its model, and checks what the set promises of its blocks.
func orderedCheck(t *rapid.T, o *Ordered[int64], m orderedModel) {
	want := m.sorted()
	if got := slices.Collect(o.All); !slices.Equal(got, want) || o.Len() != len(want) {
		t.Fatalf("%d values %v, want %d %v", o.Len(), got, len(want), want)
	}
	first, ok := o.Min()
	if ok != (len(want) > 0) || ok && first != want[0] {
		t.Fatalf("min %d, %v", first, ok)
	}
	for _, block := range o.blocks {
		if len(block) == 0 || len(block) > blockSize {
			t.Fatalf("a block of %d values", len(block))
		}
	}
}

// Catches a value lost, doubled or out of order where blocks split, empty or meet, and a wrong Seek or Min.
func TestOrderedAgainstModel(t *testing.T) {
	property(t, 80, 30, func(t *rapid.T) {
		var o Ordered[int64]
		m := orderedModel{}
		value := rapid.Int64Range(0, 6*blockSize)
		add := func(v int64) { o.Add(v); m[v] = true }
		remove := func(t *rapid.T, v int64) {
			if got := o.Remove(v); got != m[v] {
				t.Fatalf("remove %d: got %v", v, got)
			}
			delete(m, v)
		}
		t.Repeat(map[string]func(*rapid.T){
			"add":    func(t *rapid.T) { add(value.Draw(t, "value")) },
			"remove": func(t *rapid.T) { remove(t, value.Draw(t, "value")) },
			"add a run": func(t *rapid.T) { // fills and splits blocks
				from, step := value.Draw(t, "from"), rapid.SampledFrom([]int64{-3, -1, 1, 2}).Draw(t, "step")
				for i := range rapid.Int64Range(1, 2*blockSize).Draw(t, "n") {
					add(from + i*step)
				}
			},
			"remove a run": func(t *rapid.T) { // empties blocks
				from := value.Draw(t, "from")
				for i := range rapid.Int64Range(1, 2*blockSize).Draw(t, "n") {
					remove(t, from+i)
				}
			},
			"remove from the front": func(t *rapid.T) {
				for range rapid.IntRange(1, 2*blockSize).Draw(t, "n") {
					if first, ok := o.Min(); ok {
						remove(t, first)
					}
				}
			},
			"seek": func(t *rapid.T) {
				v := value.Draw(t, "value")
				got, ok := o.Seek(v)
				if want, found := m.seek(v); got != want || ok != found {
					t.Fatalf("seek %d: got %d, %v, want %d, %v", v, got, ok, want, found)
				}
			},
			"clone": func(*rapid.T) { // and go on with the clone: the origin must not notice
				origin, before := o, slices.Collect(o.All)
				o = origin.Clone()
				for _, v := range before[:len(before)/2] {
					origin.Remove(v)
				}
				origin.Add(-1)
			},
			"": func(t *rapid.T) { orderedCheck(t, &o, m) },
		})
	})
}

// Catches a set that gets slow or wrong when it only ever grows at its end and shrinks at its front, as a backlog does.
func TestOrderedAsQueue(t *testing.T) {
	var o Ordered[int64]
	const waiting = 10 * blockSize
	for v := range int64(100_000) {
		o.Add(v)
		if v < waiting {
			continue
		}
		if first, ok := o.Min(); !ok || first != v-waiting || !o.Remove(first) {
			t.Fatalf("at %d the first is %d, %v", v, first, ok)
		}
	}
	if o.Len() != waiting || len(o.blocks) > 2*waiting/blockSize {
		t.Errorf("%d values in %d blocks", o.Len(), len(o.blocks))
	}
}

// Catches an All that goes on after its reader has stopped, which panics.
func TestOrderedAllStops(t *testing.T) {
	var o Ordered[uint32]
	for v := range uint32(2 * blockSize) {
		o.Add(v)
	}
	seen := 0
	for v := range o.All {
		if seen++; v == blockSize+5 {
			break
		}
	}
	if seen != blockSize+6 {
		t.Errorf("saw %d values", seen)
	}
}

// Catches rows that are lost at the borders of words, or kept from the set that was in the memory before.
func TestRows(t *testing.T) {
	property(t, 100, 1, func(t *rapid.T) {
		n := rapid.IntRange(1, 200).Draw(t, "n")
		set, want := Rows{^uint64(0), ^uint64(0)}.cleared(n), map[int]bool{}
		for range rapid.IntRange(0, 60).Draw(t, "changes") {
			row := rapid.IntRange(0, n-1).Draw(t, "row")
			if rapid.IntRange(0, 2).Draw(t, "add") > 0 {
				set.Add(row)
				want[row] = true
			} else {
				set.Remove(row)
				delete(want, row)
			}
		}
		if got := slices.Collect(set.All()); !slices.Equal(got, slices.Sorted(maps.Keys(want))) || set.Count() != len(want) {
			t.Fatalf("got %v, count %d, want %v", got, set.Count(), want)
		}
		for row := range n + 70 {
			if set.Has(row) != want[row] {
				t.Fatalf("row %d: %v", row, set.Has(row))
			}
		}
	})
}
