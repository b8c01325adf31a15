package load

import (
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// sleeper waits exactly. A timer of the runtime may be a millisecond late when the process is otherwise idle, since its
// poller counts in milliseconds, so this blocks a thread of its own in the kernel.
type sleeper struct{}

func newSleeper() sleeper {
	runtime.LockOSThread()
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0) // without it, 50 µs late
	return sleeper{}
}

// release gives the thread back as it was.
func (sleeper) release() {
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 0, 0, 0, 0)
	runtime.UnlockOSThread()
}

func (sleeper) sleep(d time.Duration) {
	if d <= 0 {
		return
	}
	pause := unix.NsecToTimespec(d.Nanoseconds())
	_ = unix.Nanosleep(&pause, nil) // a signal ends it early; the caller looks at the clock
}
