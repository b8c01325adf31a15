package main

import (
	"math"
	"slices"
)

// unanswered is when a command that got no answer ended: nobody knows.
const unanswered = math.MaxInt64

// register is one field of the server as its clients can know it: the attempts to change it, in a history where some
// overlap and some got no answer. It says which values a look at the field may find. Times are ticks of the memory.
type register[V comparable] struct {
	writes []*write[V]
}

// write is an attempt to set the field, or a look that found it set.
type write[V comparable] struct {
	value      V
	start, end int64
}

// known is a register of which the value is certain.
func known[V comparable](value V) register[V] {
	return register[V]{writes: []*write[V]{{value: value}}}
}

// begin notes an attempt before it is sent; its end is to be set when the answer says that it was done.
func (r *register[V]) begin(value V, now int64) *write[V] {
	w := &write[V]{value: value, start: now, end: unanswered}
	r.writes = append(r.writes, w)
	return w
}

// refuse forgets an attempt that was refused.
func (r *register[V]) refuse(w *write[V]) {
	r.writes = slices.DeleteFunc(r.writes, func(o *write[V]) bool { return o == w })
}

// observe notes what an answer showed. As what was written before is behind it, it counts like a write.
func (r *register[V]) observe(value V, start, end int64) {
	r.writes = append(r.writes, &write[V]{value: value, start: start, end: end})
}

// possible says whether a look that began at from and ended at to may find a value that fits. A write may be found
// unless another one was answered before the look began, and sent after this one was answered. One without an answer
// may be found at any time after it was sent, or never.
func (r *register[V]) possible(from, to int64, fits func(V) bool) bool {
	return slices.ContainsFunc(r.writes, func(w *write[V]) bool {
		return w.start <= to && fits(w.value) && !slices.ContainsFunc(r.writes, func(o *write[V]) bool {
			return o.start > w.end && o.end < from
		})
	})
}

// may says whether the look may find this value.
func (r *register[V]) may(value V, from, to int64) bool {
	return r.possible(from, to, func(v V) bool { return v == value })
}

// values lists what a look at the end, when nothing is under way any more, may find.
func (r *register[V]) values() (all []V) {
	for _, w := range r.writes {
		if !slices.Contains(all, w.value) && r.may(w.value, unanswered-1, unanswered) {
			all = append(all, w.value)
		}
	}
	return all
}
