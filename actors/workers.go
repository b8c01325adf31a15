package actors

import "github.com/asynkron/protoactor-go/actor"

// throughput is after how many messages a mailbox lets others run.
const throughput = 300

// turns says who runs the mailboxes of a kind of actor.
//
// Leads are run by whoever tells them something, unless somebody else does already: the decider never blocks, and is told
// nothing under a lock. So a new contact changes goroutines once less. Sources cannot be run so: seats are granted to
// them under an operator's lock. The journal blocks.
func (h *host) turns(kind string) actor.Dispatcher {
	if kind == kindLeads {
		return actor.NewSynchronizedDispatcher(throughput)
	}
	return h.workers
}

// workers run the mailboxes that have messages. Protoactor's own dispatcher begins a goroutine for each turn, whose small
// stack has to grow again; these goroutines are kept, and so are their stacks.
type workers struct {
	idle chan func()
	down <-chan struct{} // closed when idle workers are to end
}

// Schedule implements actor.Dispatcher.
func (w *workers) Schedule(turn func()) {
	select {
	case w.idle <- turn:
	default:
		go w.run(turn)
	}
}

// Throughput implements actor.Dispatcher.
func (w *workers) Throughput() int { return throughput }

func (w *workers) run(turn func()) {
	for {
		turn()
		select {
		case turn = <-w.idle:
		case <-w.down:
			return
		}
	}
}
