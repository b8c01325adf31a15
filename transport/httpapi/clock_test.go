package httpapi

import (
	"sync"
	"testing"
	"time"

	"minicrm/domain"
)

// Catches: a clock that follows the wall clock back, that starts before the journal's last time, or that counts in
// another unit.
func TestClockNeverGoesBack(t *testing.T) {
	c := NewClock(5_000_000)
	for _, step := range []struct{ wall, want int64 }{
		{1, 5_000_000}, {5_000_001, 5_000_001}, {4_000_000, 5_000_001}, {5_000_001, 5_000_001}, {6_000_000, 6_000_000}, {-1, 6_000_000},
	} {
		c.wall = func() time.Time { return time.UnixMicro(step.wall) }
		if got := c.Now(); got != domain.Time(step.want) {
			t.Errorf("wall clock %d: %d, want %d", step.wall, got, step.want)
		}
	}
	now := NewClock(0).Now()
	if d := time.Since(time.UnixMicro(int64(now))); d < 0 || d > time.Minute {
		t.Errorf("off by %v", d)
	}
}

// Catches: a check and a store that are two steps (also by the race detector).
func TestClockForManyCallers(t *testing.T) {
	c := NewClock(0)
	var callers sync.WaitGroup
	for range 8 {
		callers.Go(func() {
			last := domain.Time(0)
			for range 2000 {
				now := c.Now()
				if now < last {
					t.Errorf("%d after %d", now, last)
				}
				last = now
			}
		})
	}
	callers.Wait()
}
