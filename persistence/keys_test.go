package persistence

import (
	"math/rand/v2"
	"testing"

	"minicrm/domain"
)

// Catches: a start that forgets keys which the server was told to remember for longer than by default.
func TestRecoverRemembersKeysForAsLongAsItIsTold(t *testing.T) {
	dir := memoryDir(t)
	long := smallSegments
	long.Prepare = func(c *domain.Catalog) { c.LimitKeys(1e15, 1000) } // long enough
	r := start(t, dir, rand.New(rand.NewPCG(9, 9)), long)
	r.work(t, 200)
	before, _ := r.catalog.KeyCount()
	r.history.now += 2 * 24 * 60 * 60 * 1_000_000 // two days, and a key is kept for one by default
	for _, snapshot := range []bool{false, true} {
		if snapshot {
			snapshotNow(t, r)
		}
		r.work(t, 1) // behind the snapshot
		must(t, r.Close())
		r = start(t, dir, rand.New(rand.NewPCG(9, 9)), long)
		if after, _ := r.catalog.KeyCount(); after < before || before == 0 {
			t.Errorf("with a snapshot: %v: %d keys of %d are remembered", snapshot, after, before)
		}
	}
	must(t, r.Close())
	r = start(t, dir, rand.New(rand.NewPCG(9, 9)), smallSegments)
	if after, _ := r.catalog.KeyCount(); after >= before {
		t.Errorf("by default %d keys of %d are remembered after two days", after, before)
	}
	must(t, r.Close())
}
