package domain

import (
	"iter"
	"math/bits"
	"slices"
)

// Rows is a set of a ledger's rows, one bit a row.
type Rows []uint64

// All lists the rows in order.
func (r Rows) All() iter.Seq[int] {
	return func(yield func(int) bool) {
		for w, word := range r {
			for ; word != 0; word &= word - 1 {
				if !yield(w<<6 | bits.TrailingZeros64(word)) {
					return
				}
			}
		}
	}
}

// Count is the number of rows in the set.
func (r Rows) Count() int {
	n := 0
	for _, word := range r {
		n += bits.OnesCount64(word)
	}
	return n
}

// Add puts a row into the set.
func (r Rows) Add(row int) { r[row>>6] |= 1 << (row & 63) }

// Remove takes a row out of the set.
func (r Rows) Remove(row int) { r[row>>6] &^= 1 << (row & 63) }

// Has says whether a row is in the set.
func (r Rows) Has(row int) bool { return row>>6 < len(r) && r[row>>6]&(1<<(row&63)) != 0 }

// cleared is an empty set with room for n rows, in r's memory when that is large enough.
func (r Rows) cleared(n int) Rows {
	words := (n + 63) / 64
	r = slices.Grow(r[:0], words)[:words]
	clear(r)
	return r
}
