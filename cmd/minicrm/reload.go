package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// lookEvery is the time from one look at the files to the next. Looking beats being notified: it sees what a rename, a
// symbolic link that Kubernetes turns, or a network file system does, needs no library, and costs three stats a second.
const lookEvery = time.Second

// reloadable is something that was read from files and can be read again while the process runs.
type reloadable struct {
	what  string
	files []string
	load  func() error // puts the new into use, or leaves the old in use

	taken string // how the files looked when they were read last
	seen  string // how they looked at the last look
}

// reloader reads things again when their files change, and on SIGHUP.
type reloader struct {
	things  []*reloadable
	hangups chan os.Signal
	hangup  func(reload func()) // runs reload on a SIGHUP
	logger  *slog.Logger
	good    *prometheus.GaugeVec
	when    *prometheus.GaugeVec
}

func newReloader(logger *slog.Logger, r prometheus.Registerer) *reloader {
	factory := promauto.With(r)
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP) // from now on, a SIGHUP does not end the process
	return &reloader{
		hangups: hangups,
		hangup:  func(reload func()) { reload() },
		logger:  logger,
		good: factory.NewGaugeVec(prometheus.GaugeOpts{
			Name: "minicrm_reload_successful",
			Help: "1 when the file was good at the last try to read it; 0 = what was read before is still in use.",
		}, []string{"what"}),
		when: factory.NewGaugeVec(prometheus.GaugeOpts{
			Name: "minicrm_reload_success_timestamp_seconds",
			Help: "When the file was last read and found good.",
		}, []string{"what"}),
	}
}

// add reads something for the first time: now a failure is an error.
func (r *reloader) add(what string, load func() error, files ...string) error {
	thing := &reloadable{what: what, files: files, load: load}
	thing.taken = looks(files)
	thing.seen = thing.taken
	if err := load(); err != nil {
		return err
	}
	r.good.WithLabelValues(what).Set(1)
	r.when.WithLabelValues(what).SetToCurrentTime()
	r.things = append(r.things, thing)
	return nil
}

// run watches until ctx ends.
func (r *reloader) run(ctx context.Context) {
	defer signal.Stop(r.hangups)
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-r.hangups:
			r.hangup(r.reloadAll)
		case <-tick.C:
			for _, thing := range r.things {
				if thing.changed() {
					r.reload(thing, "its file changed")
				}
			}
		case <-ctx.Done():
			return
		}
	}
}

func (r *reloader) reloadAll() {
	for _, thing := range r.things {
		r.reload(thing, "SIGHUP")
	}
}

func (r *reloader) reload(thing *reloadable, why string) {
	thing.taken = looks(thing.files)
	if err := thing.load(); err != nil {
		r.good.WithLabelValues(thing.what).Set(0)
		r.logger.Error("reading again failed; what was read before stays in use", "what", thing.what, "why", why, "error", err)
		return
	}
	r.good.WithLabelValues(thing.what).Set(1)
	r.when.WithLabelValues(thing.what).SetToCurrentTime()
	r.logger.Info("read again", "what", thing.what, "why", why)
}

// changed says whether the files differ from what was read. They have to look the same twice, so that nobody reads what
// is half written.
func (t *reloadable) changed() bool {
	before := t.seen
	t.seen = looks(t.files)
	return t.seen == before && t.seen != t.taken
}

// looks is how files look from outside.
func looks(files []string) (look string) {
	for _, path := range files {
		info, err := os.Stat(path)
		if err != nil {
			look += "missing;"
			continue
		}
		inode := uint64(0)
		if sys, ok := info.Sys().(*syscall.Stat_t); ok {
			inode = sys.Ino
		}
		look += fmt.Sprintf("%d %d %d;", inode, info.Size(), info.ModTime().UnixNano())
	}
	return look
}

// readSmall reads a file that has limit bytes at most.
func readSmall(path string, limit int) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // it was only read
	text, err := io.ReadAll(io.LimitReader(file, int64(limit)+1))
	if err != nil {
		return nil, err
	}
	if len(text) > limit {
		return nil, fmt.Errorf("%s has more than %d bytes", path, limit)
	}
	return text, nil
}
