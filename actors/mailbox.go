package actors

import (
	"slices"
	"sync"
	"sync/atomic"

	"minicrm/domain"
)

// mailbox is where messages for one decider go. Tell never blocks and never fails; from one sender, order is kept.
type mailbox interface {
	Tell(message any)
}

// decider handles one message at a time.
type decider interface {
	handle(message any)
}

// memory makes what deciders share. The simulation makes locks and words that are scheduling points.
type memory interface {
	lock() sync.Locker
	word() domain.Head
}

// machine is the real memory.
type machine struct{}

func (machine) lock() sync.Locker { return new(sync.Mutex) }
func (machine) word() domain.Head { return new(atomic.Int64) }

// table finds things by id without a lock: readers see a slice that only grows. Ids start at 1.
type table[T any] struct {
	mu    sync.Mutex // held by writers
	slots atomic.Pointer[[]*T]
}

// get is nil when there is no such id.
func (t *table[T]) get(id int64) *T {
	slots := t.slots.Load()
	if slots == nil || id < 1 || id > int64(len(*slots)) {
		return nil
	}
	return (*slots)[id-1]
}

// put stores a thing under its id.
func (t *table[T]) put(id int64, v *T) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.place(id, v)
}

// add stores a thing under the next id, which build gets to know.
func (t *table[T]) add(floor int64, build func(id int64) *T) *T {
	t.mu.Lock()
	defer t.mu.Unlock()
	id := max(floor, int64(len(t.all()))+1)
	v := build(id)
	t.place(id, v)
	return v
}

// all lists the slots; a slot may be nil.
func (t *table[T]) all() []*T {
	if slots := t.slots.Load(); slots != nil {
		return *slots
	}
	return nil
}

// place writes into a copy, unless the slot is beyond what readers see.
func (t *table[T]) place(id int64, v *T) {
	slots := t.all()
	if id == int64(len(slots))+1 {
		slots = append(slots, v)
	} else {
		slots = slices.Grow(slices.Clone(slots), int(max(0, id-int64(len(slots)))))
		slots = slots[:max(int(id), len(slots))]
		slots[id-1] = v
	}
	t.slots.Store(&slots)
}
