package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"time"
)

const (
	startTimeout = 60 * time.Second
	stopTimeout  = 60 * time.Second
	maxSaid      = 4 << 10 // bytes of a process's output that are kept
)

// process is a server that runs on its own, and the URL that it serves.
type process struct {
	cmd    *exec.Cmd
	url    string
	said   strings.Builder // until it was ready, and then what it says at its end; read only after exited
	exited chan struct{}
	err    error
}

// start runs a program that says "msg=ready listen=ADDRESS" when it serves, with more environment variables than our own.
func start(ctx context.Context, environment []string, program string, args ...string) (*process, error) {
	p := &process{cmd: exec.CommandContext(context.WithoutCancel(ctx), program, args...), exited: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), environment...)
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // a driver that is killed leaves nothing behind
	pipe, err := p.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	ready := make(chan string, 1)
	go p.watch(pipe, ready)
	timeout := time.NewTimer(startTimeout)
	defer timeout.Stop()
	select {
	case address := <-ready:
		p.url = "http://" + address
		return p, nil
	case <-p.exited:
		return nil, fmt.Errorf("%s ended before it was ready: %w: %s", program, p.err, p.said.String())
	case <-ctx.Done():
		return nil, errors.Join(context.Cause(ctx), p.stop())
	case <-timeout.C:
		return nil, errors.Join(fmt.Errorf("%s is not ready after %v", program, startTimeout), p.stop())
	}
}

func (p *process) watch(pipe io.Reader, ready chan<- string) {
	line := regexp.MustCompile(`msg=ready listen=(\S+)`)
	lines := bufio.NewScanner(pipe)
	for lines.Scan() {
		if p.said.Len() < maxSaid {
			p.said.WriteString(lines.Text() + "\n")
		}
		if m := line.FindStringSubmatch(lines.Text()); m != nil {
			ready <- m[1]
		}
	}
	p.err = p.cmd.Wait()
	close(p.exited)
}

// stop is SIGTERM, and SIGKILL when that does not help.
func (p *process) stop() error {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	select {
	case <-p.exited:
	case <-time.After(stopTimeout):
		_ = p.cmd.Process.Kill()
		<-p.exited
	}
	if p.err != nil {
		return fmt.Errorf("%s: %w: %s", p.cmd.Path, p.err, p.said.String())
	}
	return nil
}
