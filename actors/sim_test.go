package actors

// The simulation runs the real deciders, the real seats and the real journal decider without protoactor, mailboxes
// without goroutines, and a disk that can lose what was not fsynced, all in one goroutine under a seeded scheduler.
// Every access to a shared word, every lock, every message and every step of the disk is a point at which the
// scheduler may let somebody else go on, also inside a critical section. So a run is one interleaving out of all that
// the real machine could produce, and its seed brings it back.

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"sync"

	"minicrm/domain"
)

// errCrash unwinds a task when the simulated machine loses its power.
var errCrash = errors.New("crash")

// world is one simulated machine from one start to the next crash.
type world struct {
	rng     *rand.Rand
	stay    float64 // chance that a scheduling point does not switch
	tasks   []*task
	current *task
	failure error // why the process under simulation would have ended itself
	clock   int   // counts scheduling points, over all lives
	stamps  map[domain.Event]stamp
}

// stamp says when a record was sent, and when its sender had taken the lock that it still held. It is kept by the
// record's first event.
type stamp struct {
	sent, locked int
}

// task is something that runs interleaved with other tasks: a decider with its mailbox, or a client.
type task struct {
	name   string
	queue  []any
	ready  func() bool // may it start on something new
	step   func()      // do that
	busy   bool        // inside step
	locked int         // when it took its latest lock
	resume func() (struct{}, bool)
	stop   func()
	yield  func(struct{}) bool
}

func (w *world) spawn(name string, ready func() bool, step func()) *task {
	t := &task{name: name, ready: ready, step: step}
	t.resume, t.stop = iter.Pull(func(yield func(struct{}) bool) {
		defer func() {
			if r := recover(); r != nil && r != any(errCrash) {
				panic(fmt.Sprintf("%s: %v", t.name, r))
			}
		}()
		t.yield = yield
		for yield(struct{}{}) {
			t.busy = true
			t.step()
			t.busy = false
		}
	})
	t.resume() // to the first yield
	w.tasks = append(w.tasks, t)
	return t
}

// pause is a scheduling point.
func (w *world) pause() {
	w.clock++
	t := w.current
	if t == nil || w.rng.Float64() < w.stay {
		return
	}
	if !t.yield(struct{}{}) {
		panic(errCrash)
	}
}

// run lets tasks go on in random order, for a number of steps or until nobody can.
func (w *world) run(steps int) (quiet bool) {
	runnable := make([]*task, 0, len(w.tasks))
	for range steps {
		runnable = runnable[:0]
		for _, t := range w.tasks {
			if t.busy || t.ready() {
				runnable = append(runnable, t)
			}
		}
		if len(runnable) == 0 || w.failure != nil {
			return true
		}
		w.current = runnable[w.rng.IntN(len(runnable))]
		w.current.resume()
		w.current = nil
	}
	return false
}

// crash ends all tasks where they are.
func (w *world) crash() {
	for _, t := range w.tasks {
		t.stop()
	}
}

// box is a mailbox.
type box struct {
	w *world
	t *task
}

func (b *box) Tell(message any) {
	b.w.pause()
	b.t.queue = append(b.t.queue, message)
	if c, ok := message.(*commit); ok && len(c.record.Events) > 0 {
		b.w.stamps[c.record.Events[0]] = stamp{sent: b.w.clock, locked: b.w.current.locked}
	}
}

// beside runs f once, interleaved with all others.
func (w *world) beside(f func()) {
	done := false
	w.spawn("beside", func() bool { return !done }, func() { f(); done = true })
}

// host gives a decider a mailbox in this world.
func (w *world) host(name string, build func(self mailbox) decider) *box {
	b := &box{w: w}
	d := build(b)
	b.t = w.spawn(name, func() bool { return len(b.t.queue) > 0 }, func() {
		m := b.t.queue[0]
		b.t.queue = b.t.queue[1:]
		d.handle(m)
	})
	return b
}

// lock and word make the world the memory of the seats.
func (w *world) lock() sync.Locker { return &simLock{w: w} }
func (w *world) word() domain.Head { return &simWord{w: w} }

type simLock struct {
	w    *world
	held bool
}

func (l *simLock) Lock() {
	for l.w.pause(); l.held; {
		if l.w.current == nil {
			panic("lock held outside of any task")
		}
		l.w.current.giveWay()
	}
	l.held = true
	if l.w.current != nil {
		l.w.current.locked = l.w.clock
	}
}

func (l *simLock) Unlock() {
	l.held = false
	l.w.pause()
}

// giveWay lets others go on, unconditionally: the task waits.
func (t *task) giveWay() {
	if !t.yield(struct{}{}) {
		panic(errCrash)
	}
}

type simWord struct {
	w *world
	v int64
}

func (s *simWord) Load() int64 {
	s.w.pause()
	return s.v
}

func (s *simWord) Store(v int64) {
	s.w.pause()
	s.v = v
	s.w.pause()
}

// disk is a journal whose writing and fsync are separate steps, and which a crash can leave anywhere between.
type disk struct {
	w       *world
	durable []domain.Record
	shown   *domain.Catalog // what durable amounts to
	frozen  *domain.Frozen  // the newest snapshot
	pending []domain.Record
	written []domain.Record // not fsynced yet
}

func (d *disk) Recover(func(done, total int64)) (*domain.Catalog, error) {
	return recoverFrom(d.frozen, d.durable)
}

// recoverFrom builds a catalog from a snapshot, if any, and the records since.
func recoverFrom(f *domain.Frozen, records []domain.Record) (*domain.Catalog, error) {
	c := domain.NewCatalog()
	if f != nil {
		var err error
		if c, err = thaw(f, func() {}); err != nil {
			return nil, err
		}
	}
	for _, r := range records[c.Index():] {
		if err := c.Apply(r); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// thaw reads what was frozen, with a pause before each contact.
func thaw(f *domain.Frozen, pause func()) (*domain.Catalog, error) {
	c, err := domain.Thaw(f.Progress, f.Operators, f.Sources)
	for _, name := range f.Names {
		if err == nil {
			err = c.AddName(name)
		}
	}
	for lead := range f.Leads() {
		if err == nil {
			err = c.AddLead(*lead)
		}
	}
	for contact := range f.Contacts() {
		pause()
		if err == nil {
			err = c.AddContact(*contact)
		}
	}
	for run := range f.Forgotten() {
		pause()
		if err == nil {
			err = c.AddArchived(*run)
		}
	}
	for use := range f.Keys() {
		pause()
		if err == nil {
			err = c.AddKey(*use)
		}
	}
	for part := range f.Trails() {
		pause()
		if err == nil {
			err = c.AddTrail(*part)
		}
	}
	if err == nil {
		err = c.Settle()
	}
	return c, err
}

func (d *disk) Roll() (uint64, error) { return uint64(len(d.durable)), nil }
func (d *disk) Snapshotted() uint64   { return 0 }

// WriteSnapshot reads the frozen state slowly: others go on meanwhile.
func (d *disk) WriteSnapshot(_ context.Context, f *domain.Frozen, entry uint64) error {
	if entry != f.Progress.Index { // here an entry is a record
		d.w.failure = fmt.Errorf("a snapshot of record %d names entry %d", f.Progress.Index, entry)
	}
	read, err := thaw(f, d.w.pause)
	if err != nil {
		return err
	}
	d.frozen = read.Freeze()
	return nil
}

func (d *disk) Add(r domain.Record) int {
	d.pending = append(d.pending, r)
	return len(d.pending)
}

func (d *disk) Commit() error {
	d.w.pause()
	d.written, d.pending = d.pending, nil
	d.w.pause()
	d.fsync()
	d.w.pause()
	return nil
}

func (d *disk) fsync() {
	for _, r := range d.written {
		d.durable = append(d.durable, r)
		if err := d.shown.Apply(r); err != nil && d.w.failure == nil {
			d.w.failure = fmt.Errorf("illegal history: %w", err)
		}
	}
	d.written = nil
}

// crash keeps what was fsynced, and maybe what was written: a group is one entry of the log, so all or none of it.
func (d *disk) crash() {
	if d.w.rng.IntN(2) == 0 {
		d.fsync()
	}
	d.written, d.pending = nil, nil
}
