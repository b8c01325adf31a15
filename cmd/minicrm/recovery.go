package main

import (
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// progressEvery is the time between two log lines: a quick start needs none.
const progressEvery = 2 * time.Second

// recovery shows how far a start has come: to probes, and to a terminal as a bar or to a log as lines.
type recovery struct {
	began   time.Time
	logger  *slog.Logger
	bar     *progressbar.ProgressBar // nil = no terminal
	percent atomic.Int64
	logged  time.Time
}

func newRecovery(logger *slog.Logger) *recovery {
	r := &recovery{began: time.Now(), logged: time.Now(), logger: logger}
	if term.IsTerminal(int(os.Stderr.Fd())) {
		r.bar = progressbar.NewOptions(100, progressbar.OptionSetDescription("recovering"),
			progressbar.OptionSetWriter(os.Stderr), progressbar.OptionClearOnFinish())
	}
	return r
}

// progress is called by one goroutine.
func (r *recovery) progress(done, total int64) {
	if total <= 0 {
		return
	}
	percent := min(100, done*100/total)
	r.percent.Store(percent)
	switch {
	case r.bar != nil:
		_ = r.bar.Set64(percent) // a terminal that is gone is no reason to stop
	case time.Since(r.logged) >= progressEvery:
		r.logged = time.Now()
		r.logger.Info("recovering", "percent", percent)
	}
}

func (r *recovery) ready() error { return fmt.Errorf("recovering, %d%%", r.percent.Load()) }

// finish ends the showing, and says how long it took.
func (r *recovery) finish() time.Duration {
	if r.bar != nil {
		_ = r.bar.Finish() // likewise
	}
	return time.Since(r.began).Round(time.Millisecond)
}
