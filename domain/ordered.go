package domain

import (
	"slices"
	"sort"
)

// blockSize bounds what an insertion or removal in an Ordered set moves.
const blockSize = 512

// Ordered is a sorted set of integers, fast at both ends and in the middle, with 1 to 2 times the memory of its values.
// The backlog and the catalog's indexes are made of it. Its values lie in sorted blocks of at most blockSize.
type Ordered[T ~int64 | ~uint32] struct {
	blocks [][]T // none is empty
	size   int
}

// Len is the number of values.
func (o *Ordered[T]) Len() int { return o.size }

// Min is the smallest value; false when there is none.
func (o *Ordered[T]) Min() (T, bool) {
	if o.size == 0 {
		return 0, false
	}
	return o.blocks[0][0], true
}

// Seek is the smallest value that is at least v; false when there is none.
func (o *Ordered[T]) Seek(v T) (T, bool) {
	b := o.find(v)
	if b == len(o.blocks) {
		return 0, false
	}
	i, _ := slices.BinarySearch(o.blocks[b], v)
	return o.blocks[b][i], true
}

// Add puts v into the set; a value that is there already stays.
func (o *Ordered[T]) Add(v T) {
	n := len(o.blocks)
	if n == 0 || o.blocks[n-1][len(o.blocks[n-1])-1] < v { // most do
		o.appendLast(v)
		return
	}
	b := o.find(v)
	i, found := slices.BinarySearch(o.blocks[b], v)
	if found {
		return
	}
	o.size++
	o.blocks[b] = slices.Insert(o.blocks[b], i, v)
	if block := o.blocks[b]; len(block) > blockSize {
		half := len(block) / 2
		o.blocks = slices.Insert(o.blocks, b+1, slices.Clone(block[half:]))
		o.blocks[b] = block[:half:half]
	}
}

// Remove takes v out of the set; false when it is not there.
func (o *Ordered[T]) Remove(v T) bool {
	b := o.find(v)
	if b == len(o.blocks) {
		return false
	}
	i, found := slices.BinarySearch(o.blocks[b], v)
	if !found {
		return false
	}
	o.size--
	if o.blocks[b] = slices.Delete(o.blocks[b], i, i+1); len(o.blocks[b]) == 0 {
		o.blocks = slices.Delete(o.blocks, b, b+1)
	}
	return true
}

// All lists the values in order.
func (o *Ordered[T]) All(yield func(T) bool) {
	for _, block := range o.blocks {
		for _, v := range block {
			if !yield(v) {
				return
			}
		}
	}
}

// Clone is a copy that shares nothing.
func (o *Ordered[T]) Clone() Ordered[T] {
	c := Ordered[T]{blocks: make([][]T, len(o.blocks)), size: o.size}
	for i, block := range o.blocks {
		c.blocks[i] = slices.Clone(block)
	}
	return c
}

// find is the first block whose last value is at least v: the block where v is or belongs.
func (o *Ordered[T]) find(v T) int {
	return sort.Search(len(o.blocks), func(b int) bool {
		block := o.blocks[b]
		return block[len(block)-1] >= v
	})
}

// appendLast adds a value that is above all others, the common case, without ever splitting a block.
func (o *Ordered[T]) appendLast(v T) {
	o.size++
	if n := len(o.blocks); n > 0 && len(o.blocks[n-1]) < blockSize {
		o.blocks[n-1] = append(o.blocks[n-1], v)
		return
	}
	o.blocks = append(o.blocks, []T{v})
}
