package actors

import (
	"sync"

	"minicrm/domain"
)

// catalog is the read/write lock round the committed state: the journal writes, everybody reads. The journal, as the
// only writer, reads without it.
type catalog struct {
	mu        sync.RWMutex
	committed *domain.Catalog
}

func (c *catalog) apply(r domain.Record) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.committed.Apply(r)
}

func (c *catalog) freeze() *domain.Frozen {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.committed.Freeze()
}

func (c *catalog) view(read func(*domain.Catalog)) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	read(c.committed)
}
