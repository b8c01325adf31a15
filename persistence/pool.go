package persistence

import "sync"

// pool keeps buffers of a few sizes for the next who needs one.
type pool struct{ buffers sync.Pool }

// take is a buffer of n bytes with anything in it.
func (p *pool) take(n int) []byte {
	if b, ok := p.buffers.Get().(*[]byte); ok && cap(*b) >= n {
		return (*b)[:n]
	}
	return make([]byte, n, max(n, blockBytes+blockBytes/8))
}

func (p *pool) put(b []byte) { p.buffers.Put(&b) }
