package actors

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"minicrm/domain"
)

// heldWriter is a snapshot writer that waits to be let go.
type heldWriter struct {
	began chan *domain.Frozen
	end   chan error
}

func (h *heldWriter) write(ctx context.Context, f *domain.Frozen, _ uint64) error {
	h.began <- f
	select {
	case err := <-h.end:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Catches: a snapshot that holds up commits, a second one beside the first, one that answers a question with a state
// from before it, and a failure that ends the process or keeps the next from being tried.
func TestSnapshotGoesOnBesideCommits(t *testing.T) {
	h := &heldWriter{began: make(chan *domain.Frozen, 9), end: make(chan error)}
	d, fatal := furnished(t, &memoryJournal{write: h.write}, 1, 1, 1000)
	ask := func() <-chan error {
		got := make(chan error, 1)
		go func() {
			_, err := d.TakeSnapshot(t.Context())
			got <- err
		}()
		return got
	}
	first := ask()
	f := <-h.began
	c, err := post(t.Context(), d, 1, "a@example.com") // while the snapshot is being written
	check(t, err)
	second := ask()
	if f.ContactCount() != 0 || len(h.began) > 0 {
		t.Errorf("%d contacts, %d more snapshots", f.ContactCount(), len(h.began))
	}
	disk := errors.New("disk full")
	h.end <- disk
	if err := <-first; !errors.Is(err, disk) {
		t.Errorf("the first was told %v", err)
	}
	if f := <-h.began; f.ContactCount() != int(c.ID) {
		t.Errorf("the second snapshot has %d contacts", f.ContactCount())
	}
	h.end <- nil
	if err := <-second; err != nil || len(fatal) > 0 {
		t.Errorf("the second was told %v", err)
	}
}

// Catches: an interval that is not kept.
func TestSnapshotEvery(t *testing.T) {
	h := &heldWriter{began: make(chan *domain.Frozen, 9), end: make(chan error)}
	log := &memoryJournal{write: h.write}
	d, _ := furnished(t, log, 1, 1, 1000) // 3 records
	for i := range 999 {
		_, err := post(t.Context(), d, 1, fmt.Sprintf("%d@example.com", i/2))
		check(t, err)
	}
	f := <-h.began
	if f.Progress.Index < 1000 || f.Progress.Index > 1010 {
		t.Errorf("the snapshot of every 1000 records came after %d", f.Progress.Index)
	}
	h.end <- nil
}

// Catches: a snapshot of a log that could not be rolled, or a question that is never answered then.
func TestSnapshotNeedsARoll(t *testing.T) {
	disk := errors.New("disk full")
	h := &heldWriter{began: make(chan *domain.Frozen, 9)}
	d, fatal := furnished(t, &memoryJournal{write: h.write, roll: disk}, 1, 1, 1000)
	for range 2 {
		if _, err := d.TakeSnapshot(t.Context()); !errors.Is(err, disk) {
			t.Errorf("who asked was told %v", err)
		}
	}
	if len(h.began) > 0 || len(fatal) > 0 {
		t.Errorf("%d snapshots, %d fatal errors", len(h.began), len(fatal))
	}
}

// Catches: a journal that failed with a roll, and a process that goes on until the next command.
func TestRollThatFailsTheJournal(t *testing.T) {
	log := &memoryJournal{}
	d, fatal := furnished(t, log, 1, 1, 1000)
	log.roll = errors.New("disk gone")
	log.failWith(log.roll)
	if _, err := d.TakeSnapshot(t.Context()); err == nil {
		t.Error("who asked was told that there is a snapshot")
	}
	if err := <-fatal; !errors.Is(err, log.roll) {
		t.Errorf("the process ended with %v", err)
	}
}
