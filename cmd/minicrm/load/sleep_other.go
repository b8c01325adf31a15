//go:build !linux

package load

import "time"

// sleeper waits as exactly as the runtime does.
type sleeper struct{}

func newSleeper() sleeper { return sleeper{} }

func (sleeper) release() {}

func (sleeper) sleep(d time.Duration) { <-time.After(d) }
