package persistence

import (
	"context"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"minicrm/domain"
)

// running is a store in use: the catalog is committed state as the actors would keep it.
type running struct {
	*Store
	catalog *domain.Catalog
	history *history
}

func start(t rapid.TB, dir string, rng *rand.Rand, o Options) *running {
	t.Helper()
	s, err := OpenStore(dir, o)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	c, err := s.Recover(nil)
	if err != nil {
		t.Fatalf("recover: %v", err)
	}
	return &running{s, c, newHistory(rng, c)}
}

// work commits a group of what some commands decide.
func (r *running) work(t rapid.TB, steps int) {
	t.Helper()
	for range steps {
		r.history.step()
	}
	records := r.history.take()
	for _, record := range records {
		r.Add(record)
	}
	if err := r.Commit(); err != nil {
		t.Fatalf("commit: %v", err)
	}
	for _, record := range records {
		if err := r.catalog.Apply(record); err != nil {
			t.Fatalf("apply: %v", err)
		}
	}
}

// TestRecoverGivesBackWhatWasCommitted: real histories, frozen at random moments while they go on, through reopenings.
func TestRecoverGivesBackWhatWasCommitted(t *testing.T) {
	base := memoryDir(t)
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "seed")
		rng := rand.New(rand.NewPCG(seed, 0))
		dir, err := mkdirTemp(base)
		if err != nil {
			t.Fatal(err)
		}
		r := start(t, dir, rng, Options{SegmentSize: 4 << 10})
		for range 1 + rng.IntN(4) {
			var frozen *domain.Frozen
			var entry uint64
			for range 1 + rng.IntN(12) {
				r.work(t, rng.IntN(20))
				if rng.IntN(4) == 0 {
					frozen, entry = r.catalog.Freeze(), r.Entry()
				}
				if rng.IntN(8) == 0 {
					frozen, entry = roll(t, r)
				}
			}
			if frozen != nil {
				if _, err := r.WriteSnapshot(context.Background(), frozen, entry); err != nil {
					t.Fatalf("snapshot: %v", err)
				}
			}
			if err := r.Close(); err != nil {
				t.Fatalf("close: %v", err)
			}
			again := start(t, dir, rng, Options{SegmentSize: 4 << 10})
			mustEqual(t, "recovered", again.catalog, r.catalog)
			if again.Entry() != r.Entry() {
				t.Fatalf("entry %d instead of %d", again.Entry(), r.Entry())
			}
			r = again
		}
		if err := r.Close(); err != nil {
			t.Fatalf("close: %v", err)
		}
	})
}

// roll freezes where the log rolls, as the actors do.
func roll(t rapid.TB, r *running) (*domain.Frozen, uint64) {
	t.Helper()
	entry, err := r.Roll()
	if err != nil {
		t.Fatalf("roll: %v", err)
	}
	return r.catalog.Freeze(), entry
}
