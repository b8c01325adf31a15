package actors

import (
	"context"
	"log/slog"
)

// snapshots says when a snapshot is due, one at a time. The journal decider freezes the catalog between two commits, so
// that the state and the place in the log belong together; the writing is done beside it and never holds it up.
type snapshots struct {
	every  uint64 // records from one snapshot to the next; 0 = only when asked
	last   uint64 // index of the state that was frozen last, or at which it was due
	asked  []chan<- snapshotTaken
	queued []chan<- snapshotTaken // asked while one was being written: they want a state that is not older than their question
	active bool
	ctx    context.Context // ends when the dispatcher stops: a half-written snapshot is thrown away
	beside func(func())    // runs the writer while the decider goes on
	log    *slog.Logger
}

type (
	// takeSnapshot asks for a snapshot of the state as it is now; done (with room for one) hears when it is durable.
	takeSnapshot struct{ done chan<- snapshotTaken }
	// snapshotTaken is the writer's word to the journal decider, and from there to who asked.
	snapshotTaken struct {
		index uint64 // of the last record that the snapshot covers
		err   error
	}
)

// due begins a snapshot when enough was committed since the last. A batch may take it past the record at which it was due;
// the next is due as if it had not, so that after any record, two are due within twice as many (EraseLead promises that).
func (s *snapshots) due(j *journal) {
	index := j.catalog.committed.Index()
	if s.every == 0 || s.active || index-s.last < s.every {
		return
	}
	past := (index - s.last) % s.every
	s.begin(j)
	s.last = index - past
}

// wanted begins a snapshot because somebody asked.
func (s *snapshots) wanted(j *journal, done chan<- snapshotTaken) {
	s.queued = append(s.queued, done)
	if !s.active {
		s.begin(j)
	}
}

func (s *snapshots) begin(j *journal) {
	s.active = true
	s.asked, s.queued = s.queued, nil
	s.last = j.catalog.committed.Index()
	entry, err := j.log.Roll()
	if err != nil {
		j.write() // a log that has failed with it says so now, and not to the next command
		j.self.Tell(snapshotTaken{s.last, err})
		return
	}
	frozen, index := j.catalog.freeze(), s.last
	s.beside(func() { j.self.Tell(snapshotTaken{index, j.log.WriteSnapshot(s.ctx, frozen, entry)}) })
}

// taken tells who asked. A failure is no reason to stop: the journal has it all, and the next one is tried in its turn.
func (s *snapshots) taken(j *journal, t snapshotTaken) {
	s.active = false
	if t.err != nil && s.ctx.Err() == nil {
		s.log.Error("the snapshot failed; the journal keeps what it would have replaced", "error", t.err)
	}
	for _, done := range s.asked {
		done <- t
	}
	s.asked = nil
	if len(s.queued) > 0 {
		s.begin(j)
	}
}
