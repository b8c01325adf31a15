package httpapi

import (
	"sync/atomic"
	"time"

	"minicrm/domain"
)

// Clock stamps commands: wall time in microseconds that never goes back, whatever is done to the machine's clock.
// It is safe for concurrent use.
type Clock struct {
	wall func() time.Time
	last atomic.Int64
}

// NewClock is a clock that never shows less than last, the latest time in the journal.
func NewClock(last domain.Time) *Clock {
	c := &Clock{wall: time.Now}
	c.last.Store(int64(last))
	return c
}

// Now is the time. While the wall clock is behind what was shown before, it stands still.
func (c *Clock) Now() domain.Time {
	now := c.wall().UnixMicro()
	for {
		last := c.last.Load()
		if now <= last {
			return domain.Time(last)
		}
		if c.last.CompareAndSwap(last, now) {
			return domain.Time(now)
		}
	}
}
