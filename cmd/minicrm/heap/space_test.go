package heap

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"testing"
)

// Catches: a small heap that is collected all the time, a large one that is let grow without bound, and a division by an
// empty heap.
func TestGCPercent(t *testing.T) {
	for _, c := range []struct {
		live uint64
		want int
	}{{0, 1600}, {3 << 20, 1600}, {8 << 20, 800}, {64 << 20, 100}, {8 << 30, 100}} {
		if got := gcPercent(c.live); got != c.want {
			t.Errorf("%d MiB live: GOGC=%d, want %d", c.live>>20, got, c.want)
		}
	}
}

// Catches: a percentage that is set once and does not follow the heap, and a GOGC that is not obeyed.
func TestSpaceCollections(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(defaultGCPercent))
	t.Setenv("GOGC", "100")
	SpaceCollections()
	if got := gcPercentNow(); got != defaultGCPercent {
		t.Fatalf("GOGC=100: %d%%", got)
	}
	t.Setenv("GOGC", "")
	SpaceCollections()
	small := awaitPercent(t, func(now uint64) bool { return now > 2*defaultGCPercent })
	large := make([]byte, leastGarbage)
	awaitPercent(t, func(now uint64) bool { return now == defaultGCPercent })
	runtime.KeepAlive(large)
	awaitPercent(t, func(now uint64) bool { return now > (defaultGCPercent+small)/2 })
}

// awaitPercent collects until the percentage is as wanted: the runtime looks at it after each collection.
func awaitPercent(t *testing.T, wanted func(uint64) bool) uint64 {
	t.Helper()
	for range 2000 {
		if now := gcPercentNow(); wanted(now) {
			return now
		}
		runtime.GC() // which does not wait for what comes after it
		runtime.Gosched()
	}
	t.Fatalf("GOGC stays at %d%%", gcPercentNow())
	return 0
}

func gcPercentNow() uint64 {
	sample := []metrics.Sample{{Name: "/gc/gogc:percent"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
