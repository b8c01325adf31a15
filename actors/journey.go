package actors

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
)

// Traces. No actor waits for another and one write is for many commands, so there is no call that a span could be put
// round. A traced command gathers times on its way instead, and whoever waited for its answer makes spans of them, on its
// own time: one for each actor that the command passed, from when it was sent there until it was sent on, all of them
// children of the span in the caller's context. A command that is not traced has no journey, and nobody looks at a clock
// for it.

// journey is a traced command's way through the actors. It belongs to who has the command, and after the answer to who
// asked: each step is written before the command goes on. A nil journey notes nothing.
type journey struct {
	legs    []leg
	settled time.Time // the end of the last leg
	group   group
	index   uint64 // of the journal's last record when the command was settled
}

// leg is the stay at one actor. It ends where the next one begins.
type leg struct {
	kind  string    // of the actor
	sent  time.Time // into its mailbox
	begun time.Time // the actor began with it; the journal: its group's write began
}

// maxLegs is how many actors a command passes at most.
const maxLegs = 3

// group is what the commands that the journal wrote at once have in common. The times are zero when nobody traces.
type group struct {
	records, bytes int
	begun, durable time.Time // of the write and its fsync
}

// journey is for a command that comes in this context: nil = it is not traced.
func (d *Dispatcher) journey(ctx context.Context) *journey {
	if d.tracer == nil || !trace.SpanFromContext(ctx).IsRecording() {
		return nil
	}
	return &journey{legs: make([]leg, 0, maxLegs)}
}

// traceable is a message that may belong to a traced command.
type traceable interface{ traced() *journey }

// journeyOf is nil for a message without one.
func journeyOf(message any) *journey {
	if m, ok := message.(traceable); ok {
		return m.traced()
	}
	return nil
}

func (c *command) traced() *journey {
	if c.waiter == nil {
		return nil
	}
	return c.waiter.traced()
}

// traced is that of the last contact: it stands for all of them, which were there before it.
func (m *newContacts) traced() *journey { return m.items[len(m.items)-1].traced() }

// send comes right before the command goes into a mailbox.
func (j *journey) send(kind string) {
	if j != nil {
		j.legs = append(j.legs, leg{kind: kind, sent: time.Now()})
	}
}

// begin comes right before an actor handles the command.
func (j *journey) begin() {
	if j != nil {
		j.legs[len(j.legs)-1].begun = time.Now()
	}
}

// settle comes right before the answer leaves the journal.
func (j *journey) settle(g group, index uint64) {
	if j != nil {
		j.legs[len(j.legs)-1].begun = g.begun
		j.settled, j.group, j.index = time.Now(), g, index
	}
}

// end makes the spans, when the answer is here.
func (d *Dispatcher) end(ctx context.Context, j *journey) {
	if j == nil {
		return
	}
	for i, l := range j.legs {
		_, span := d.tracer.Start(ctx, l.kind, trace.WithTimestamp(l.sent),
			trace.WithAttributes(attribute.Float64("minicrm.wait_seconds", l.begun.Sub(l.sent).Seconds())))
		done := j.settled
		if i+1 < len(j.legs) {
			done = j.legs[i+1].sent
		} else {
			span.SetAttributes(
				attribute.Int("minicrm.journal.records", j.group.records),
				attribute.Int("minicrm.journal.bytes", j.group.bytes),
				attribute.Int64("minicrm.journal.index", int64(j.index)),
				attribute.Float64("minicrm.journal.fsync_seconds", j.group.durable.Sub(j.group.begun).Seconds()),
			)
		}
		span.End(trace.WithTimestamp(done))
	}
}
