package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// manager is what systemd is to a service: a socket for its messages.
type manager struct {
	mu       sync.Mutex
	messages []string
}

// newManager listens until the test ends, and has processes that the test starts tell it how they are.
func newManager(t *testing.T, watchdog string) *manager {
	t.Helper()
	path := filepath.Join(t.TempDir(), "notify")
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	check(t, err)
	t.Setenv("NOTIFY_SOCKET", path)
	t.Setenv("WATCHDOG_USEC", watchdog)
	m := &manager{}
	var reading sync.WaitGroup
	reading.Go(func() {
		buffer := make([]byte, 4096)
		for {
			n, err := socket.Read(buffer)
			if err != nil {
				return
			}
			m.mu.Lock()
			m.messages = append(m.messages, string(buffer[:n]))
			m.mu.Unlock()
		}
	})
	t.Cleanup(func() {
		check(t, socket.Close())
		reading.Wait()
	})
	return m
}

// story is all that was said, one message a line.
func (m *manager) story() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	lines := make([]string, len(m.messages))
	for i, message := range m.messages {
		lines[i] = strings.ReplaceAll(strings.TrimSpace(message), "\n", " ")
	}
	return strings.Join(lines, "\n")
}

func (m *manager) count(text string) int { return strings.Count(m.story(), text) }

// Catches: a message that the binary does not send, or sends too early: ready while it recovers, alive while it stops.
func TestSystemdIsTold(t *testing.T) {
	m := newManager(t, "300000")
	s := startServer(t, t.TempDir(), "")
	await(t, "ready", func() bool { return m.count("READY=1") == 1 })
	await(t, "the watchdog is fed", func() bool { return m.count("WATCHDOG=1") >= 3 })
	s.signal(syscall.SIGHUP)
	await(t, "ready again", func() bool { return m.count("READY=1") == 2 })
	if code := s.terminate(); code != 0 {
		t.Errorf("exit status %d", code)
	}
	const (
		starting  = `(STATUS=recovering, \d+% EXTEND_TIMEOUT_USEC=60000000\n)+`
		ready     = `READY=1 STATUS=ready\n`
		alive     = `(WATCHDOG=1\n)`
		reloading = `RELOADING=1 MONOTONIC_USEC=[1-9]\d*\n`
		stopping  = `STOPPING=1 STATUS=stopping`
	)
	whole := regexp.MustCompile(`^` + starting + ready + alive + `+` + reloading + alive + `*` + ready + alive + `*` + stopping + `$`)
	await(t, "stopping", func() bool { return m.count("STOPPING=1") == 1 })
	if !whole.MatchString(m.story()) {
		t.Errorf("systemd heard\n%s", m.story())
	}
}

// Catches: a watchdog that is fed by a timer alone.
func TestWatchdogStarvesWhenNothingAnswers(t *testing.T) {
	m := newManager(t, "30000")
	said := &logBuffer{}
	s := &supervisor{logger: slog.New(slog.NewTextHandler(lineWriter{said}, nil))}
	asked := make(chan int, 100)
	broken := errors.New("broken")
	n := 0
	ping := func(ctx context.Context) error {
		n++
		asked <- n
		switch n {
		case 1:
			return nil
		case 2:
			return broken
		}
		<-ctx.Done() // hangs
		return ctx.Err()
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.watch(ctx, ping)
	}()
	for range 5 {
		<-asked
	}
	cancel()
	<-ended
	if got := m.story(); got != "WATCHDOG=1" {
		t.Errorf("systemd heard\n%s", got)
	}
	if got := said.String(); strings.Count(got, "does not answer") < 3 || !strings.Contains(got, "broken") {
		t.Errorf("the log says\n%s", got)
	}
}

// lineWriter makes a log readable while it is written.
type lineWriter struct{ to *logBuffer }

func (w lineWriter) Write(p []byte) (int, error) {
	w.to.add(string(p))
	return len(p), nil
}

// Catches: a reload that says ready in the midst of a start or a stop, and a process without systemd that minds.
func TestReloadOutsideOfService(t *testing.T) {
	m := newManager(t, "")
	s := &supervisor{logger: slog.New(slog.DiscardHandler)}
	ran := 0
	reload := func() { ran++ }
	s.reloading(reload)
	s.ready()
	s.reloading(reload)
	s.stopping()
	s.reloading(reload)
	await(t, "stopping", func() bool { return m.count("STOPPING=1") == 1 })
	if ran != 3 || m.count("READY=1") != 2 || m.count("RELOADING=1") != 1 {
		t.Errorf("%d reloads; systemd heard\n%s", ran, m.story())
	}
	check(t, os.Unsetenv("NOTIFY_SOCKET")) // t.Setenv puts it back
	s.ready()
}

// Catches: readiness that knows nothing of actors that hang, or that stays away when they answer again.
func TestReadyOnlyWhileTheDispatcherAnswers(t *testing.T) {
	s, err := openService(config{data: t.TempDir(), logger: slog.New(slog.DiscardHandler), maxInFlight: 1, fatal: func(err error) { t.Error(err) }}, newRegistry())
	check(t, err)
	defer func() { check(t, s.close()) }()
	check(t, s.ready())
	late, cancel := context.WithTimeout(t.Context(), -1)
	defer cancel()
	await(t, "a ping in no time", func() bool { return s.ping(late) != nil }) // an answer that is there may win against the deadline
	if err := s.ready(); err == nil || !strings.Contains(err.Error(), "does not answer") {
		t.Errorf("ready: %v", err)
	}
	check(t, s.ping(t.Context()))
	check(t, s.ready())
}
