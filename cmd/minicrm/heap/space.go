// Package heap keeps garbage collections of a small heap apart. The service, the load generator and what cmd/bench
// measures against all have it, so that none wins by it.
package heap

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// leastGarbage is how many bytes are allocated, at least, from one garbage collection to the next. By Go's default a heap
// of 5 MB is collected each time when it has grown by 5 MB, many times a second, and each collection delays what comes
// meanwhile: at half of the highest rate, that was most of p99.
const leastGarbage = 64 << 20

// defaultGCPercent is Go's: from one collection to the next, the heap grows by as much as lives.
const defaultGCPercent = 100

// SpaceCollections keeps collections of a small heap apart, for as long as the process lives. GOMEMLIMIT still holds;
// who set GOGC is obeyed.
func SpaceCollections() {
	if os.Getenv("GOGC") != "" {
		return
	}
	type sentinel struct{ _ *byte } // a pointer in it keeps it out of blocks that it would share with others
	percent := 0
	var collected func(*sentinel)
	collected = func(s *sentinel) {
		if p := gcPercent(liveHeap()); p != percent {
			percent = p
			debug.SetGCPercent(p)
		}
		runtime.SetFinalizer(s, collected) // nobody knows it, so the next collection finds it again
	}
	collected(&sentinel{})
}

// leastHeap is what Go takes a smaller heap for.
const leastHeap = 4 << 20

// gcPercent is the GOGC that lets a heap grow by leastGarbage.
func gcPercent(live uint64) int {
	return max(defaultGCPercent, int(defaultGCPercent*leastGarbage/max(live, leastHeap)))
}

// liveHeap is what the latest collection found alive, in bytes; 0 before the first.
func liveHeap() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
