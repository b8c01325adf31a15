package actors

import (
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"github.com/asynkron/protoactor-go/actor"
)

// host runs deciders as protoactor actors. protoactor's own ways with a failed actor (restart it empty, let the caller
// time out) are not ours: the first panic fails the whole host, for good, because memory is ahead of the disk by then.
type host struct {
	system *actor.ActorSystem
	props  []actor.PropsOption
	fatal  func(error)

	workers *workers
	traffic map[string]*traffic // by kind of actor; nil = nobody counts
	traced  bool                // commands may be traced

	failed  atomic.Bool
	once    sync.Once
	down    chan struct{} // closed when the host failed or stopped: nobody waits any longer
	downing sync.Once
}

func newHost(fatal func(error), counted map[string]*traffic, traced bool) *host {
	h := &host{fatal: fatal, traffic: counted, traced: traced, down: make(chan struct{})}
	// What protoactor would log (its start, a panic, messages to a stopped actor) is reported here or is as it should be.
	silent := slog.New(slog.DiscardHandler)
	h.system = actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return silent }))
	stop := actor.NewOneForOneStrategy(0, 0, func(any) actor.Directive { return actor.StopDirective })
	h.props = []actor.PropsOption{actor.WithGuardian(stop)}
	h.workers = &workers{idle: make(chan func()), down: h.down}
	return h
}

// fail stops all deciders at once and reports why, once.
func (h *host) fail(err error) {
	h.failed.Store(true)
	h.once.Do(func() {
		h.fatal(err)
		h.close()
	})
}

func (h *host) close() { h.downing.Do(func() { close(h.down) }) }

// failOnPanic is to be deferred by each actor. A receiver middleware would do the same and allocate for each message.
func (h *host) failOnPanic(ctx actor.Context) {
	if r := recover(); r != nil {
		h.fail(fmt.Errorf("actor %s panicked: %v\n%s", ctx.Self().Id, r, debug.Stack()))
	}
}

// spawn gives a decider of a kind a mailbox. build gets the mailbox before the decider handles anything.
func (h *host) spawn(kind, name string, build func(self mailbox) decider) *hosted {
	box := &hosted{root: h.system.Root, traffic: h.traffic[kind], kind: kind, traced: h.traced}
	d := build(box)
	receive := func(ctx actor.Context) {
		defer h.failOnPanic(ctx)
		switch m := ctx.Message().(type) {
		case *actor.Restarting:
			box.traffic.restart()
		case actor.SystemMessage, actor.AutoReceiveMessage:
		default:
			if !h.failed.Load() {
				box.begin(m)
				d.handle(m)
			}
			box.traffic.handle()
		}
	}
	props := actor.PropsFromFunc(receive, h.props...).Configure(actor.WithDispatcher(h.turns(kind)))
	pid, err := h.system.Root.SpawnNamed(props, name)
	if err != nil {
		panic(fmt.Sprintf("spawn %s: %v", name, err)) // two actors of one name: impossible
	}
	box.pid = pid
	return box
}

// hosted is the mailbox of an actor.
type hosted struct {
	root    *actor.RootContext
	pid     *actor.PID
	traffic *traffic
	kind    string
	traced  bool
}

func (b *hosted) Tell(message any) {
	b.traffic.send()
	if b.traced {
		journeyOf(message).send(b.kind)
	}
	b.root.Send(b.pid, message)
}

func (b *hosted) begin(message any) {
	if b.traced {
		journeyOf(message).begin()
	}
}

// stop lets actors handle what is in their mailboxes, and ends them.
func (h *host) stop(boxes ...*hosted) error {
	futures := make([]*actor.Future, len(boxes))
	for i, b := range boxes {
		futures[i] = h.system.Root.PoisonFuture(b.pid)
	}
	var errs []error
	for i, f := range futures {
		if err := f.Wait(); err != nil {
			errs = append(errs, fmt.Errorf("stop actor %s: %w", boxes[i].pid.Id, err))
		}
	}
	return errors.Join(errs...)
}
