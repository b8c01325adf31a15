package httpapi

import (
	"sync/atomic"

	"minicrm/domain"
)

// Limits of the edge. Those of single values are the domain's.
const (
	// DefaultMaxInFlight is how many commands may be on their way at once when Options does not say.
	DefaultMaxInFlight = 4096

	maxBody      = 1 << 20   // bytes of a request's body, and of one contact in a batch
	maxBatchBody = 32 << 20  // bytes of a batch
	maxBodies    = 256 << 20 // bytes of long bodies that are held at once
	shortBody    = 16 << 10  // bytes of a body that does not count there
	maxBatch     = 10_000    // contacts in a batch
	maxDepth     = 32        // levels of a JSON body; the API's own have three
	maxPooled    = 64 << 10  // bytes of a buffer that is kept for the next call: one huge body must not stay in memory
	defaultLimit = 50        // items of a page
	maxLimit     = 1000
	maxShown     = 64       // characters of a client's own text that an answer repeats
	streamPiece  = 32 << 10 // bytes of a long answer that are written at once
	maxPreview   = domain.MaxPreview
)

// places bounds the commands in flight, counted in contacts. The mailboxes behind the edge have no limit of their own, so
// this is the one.
type places struct {
	limit int64
	taken atomic.Int64
}

// take is false when too few places are free: nobody waits for one.
func (p *places) take(n int64) bool {
	for {
		taken := p.taken.Load()
		if taken+n > p.limit {
			return false
		}
		if p.taken.CompareAndSwap(taken, taken+n) {
			return true
		}
	}
}

func (p *places) leave(n int64) { p.taken.Add(-n) }

// count is how many are taken.
func (p *places) count() float64 { return float64(p.taken.Load()) }

// batch is how many places a batch takes: one a contact, but half of them at most. So the largest batch gets in whatever
// the limit is, beside others that are few, and two fill the house.
func (p *places) batch(contacts int) int64 { return min(int64(contacts), max(1, p.limit/2)) }
