package actors

import (
	"context"

	"minicrm/domain"
)

// ping goes a command's way and decides nothing: whoever gets it passes it on to the journal, which answers behind all
// that came before.
type ping struct{ command }

func (p *ping) pass(journal mailbox) { journal.Tell(&commit{command: p.command}) }

// Ping returns when each actor has handled what was in its mailbox, and the journal has answered for all of them. It
// writes nothing. An actor that hangs, a lock that nobody gives back or a disk that does not come back keeps it from
// returning, so that who watches the process knows more than that it runs.
func (d *Dispatcher) Ping(ctx context.Context) error {
	boxes := []mailbox{d.leads, d.operators}
	for _, s := range d.seats.sources.all() {
		if s != nil {
			boxes = append(boxes, s.mailbox)
		}
	}
	call := &rollCall{missing: len(boxes), done: make(chan error, 1)}
	for _, box := range boxes {
		box.Tell(&ping{command{waiter: call}})
	}
	_, err := receive(ctx, d, call.done)
	return err
}

// rollCall counts who answered. The journal alone does that.
type rollCall struct {
	missing int
	done    chan error // room for one, as for every reply
}

func (r *rollCall) traced() *journey { return nil }

func (r *rollCall) settle(*domain.Catalog, int64, error) {
	if r.missing--; r.missing == 0 {
		r.done <- nil
	}
}
