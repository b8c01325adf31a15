package main

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
)

// startGrace is how long systemd goes on waiting for a start after each step that the recovery has made: a recovery may
// take as long as it needs, one that stands still may not.
const startGrace = time.Minute

// defaultPatience is how long nothing may answer where no watchdog says it.
const defaultPatience = 30 * time.Second

// supervisor tells systemd how this process is: starting, ready, reading its files again, stopping, and, while it is
// ready, alive. Where systemd did not start the process (NOTIFY_SOCKET is not set) it tells nobody.
type supervisor struct {
	logger *slog.Logger
	up     atomic.Bool // between ready and stopping: no other time can be interrupted by a reload
}

// tell sends a message. A lost one is no reason to stop: systemd has timeouts for that.
func (s *supervisor) tell(state string) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		s.logger.Warn("systemd could not be told", "state", state, "error", err)
	}
}

// starting says how far the recovery has come, until done is called; then it says no more.
func (s *supervisor) starting(progress func() error) (done func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var telling sync.WaitGroup
	telling.Go(func() {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for told := ""; ctx.Err() == nil; {
			if now := progress().Error(); now != told {
				told = now
				s.tell(fmt.Sprintf("STATUS=%s\nEXTEND_TIMEOUT_USEC=%d", now, startGrace.Microseconds()))
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
			}
		}
	})
	return func() {
		cancel()
		telling.Wait()
	}
}

func (s *supervisor) ready() {
	s.up.Store(true)
	s.tell(daemon.SdNotifyReady + "\nSTATUS=ready")
}

// reloading brackets what a SIGHUP does, so that systemctl reload returns when it is done.
func (s *supervisor) reloading(reload func()) {
	if !s.up.Load() {
		reload()
		return
	}
	s.tell(daemon.SdNotifyReloading + "\n" + daemon.SdNotifyMonotonicUsec())
	reload()
	s.ready()
}

func (s *supervisor) stopping() {
	s.up.Store(false)
	s.tell(daemon.SdNotifyStopping + "\nSTATUS=stopping")
}

// watch pings again and again until ctx ends, and feeds systemd's watchdog each time that this comes back: never from a
// process that only seems to live. Hungry, systemd ends it with SIGABRT, which has the Go runtime print where every
// goroutine stands. Without a watchdog it pings all the same, for readiness.
func (s *supervisor) watch(ctx context.Context, ping func(context.Context) error) {
	patience, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		s.logger.Warn("systemd's watchdog is not fed", "error", err)
	}
	fed := patience > 0 && err == nil
	if !fed {
		patience = defaultPatience
	}
	every := patience / 3 // two may be lost
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		if s.answers(ctx, every, ping) && fed {
			s.tell(daemon.SdNotifyWatchdog)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func (s *supervisor) answers(ctx context.Context, within time.Duration, ping func(context.Context) error) bool {
	limited, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	err := ping(limited)
	if err != nil && ctx.Err() == nil { // it is not about to stop
		s.logger.Error("the dispatcher does not answer", "waited", within, "error", err)
	}
	return err == nil
}
