package main

// The tests of this package run the real binary, over the network, as its users do.

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// program is the path of the binary under test, built with the race detector.
var program string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "minicrm-test")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	program = filepath.Join(dir, "minicrm")
	if out, err := exec.CommandContext(context.Background(), "go", "build", "-race", "-o", program, ".").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build: %v\n%s", err, out)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(dir) // the system cleans up what this leaves
	os.Exit(code)
}

// server is a running process.
type server struct {
	t      *testing.T
	cmd    *exec.Cmd
	base   string // URL
	client *http.Client
	stderr *logBuffer
	exited chan struct{}
	err    error // of the exit
}

// logBuffer gathers a process's output while tests read it.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) add(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.b.WriteString(line + "\n")
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

var readyLine = regexp.MustCompile(`(?:msg=ready listen=|"msg":"ready","listen":")([^\s"]+)`)

// startServer runs the binary on a data directory until the test ends, and returns when it is ready. limit, if any, is
// a shell command that runs before it, in the same process; options are further ones of serve.
func startServer(t *testing.T, data, limit string, options ...string) *server {
	t.Helper()
	args := []string{"-c", limit + "\nexec \"$@\"", "sh", program, "serve", "--listen", "127.0.0.1:0", "--data", data}
	args = append(args, options...)
	s := &server{t: t, cmd: exec.Command("sh", args...), stderr: &logBuffer{}, exited: make(chan struct{})} //nolint:noctx // its life ends in Cleanup
	s.client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 256}}
	pipe, err := s.cmd.StderrPipe()
	check(t, err)
	check(t, s.cmd.Start())
	ready := make(chan string, 1)
	go s.watch(pipe, ready)
	t.Cleanup(func() {
		s.kill()
		if t.Failed() {
			t.Logf("the server said:\n%s", s.stderr)
		}
	})
	select {
	case address := <-ready:
		s.base = "http://" + address
	case <-s.exited:
		t.Fatalf("the server ended before it was ready: %v\n%s", s.err, s.stderr)
	case <-time.After(60 * time.Second):
		t.Fatalf("the server is not ready after 60 s\n%s", s.stderr)
	}
	return s
}

func (s *server) watch(pipe io.Reader, ready chan<- string) {
	lines := bufio.NewScanner(pipe)
	for lines.Scan() {
		s.stderr.add(lines.Text())
		if m := readyLine.FindStringSubmatch(lines.Text()); m != nil {
			ready <- m[1]
		}
	}
	s.err = s.cmd.Wait()
	close(s.exited)
}

func (s *server) signal(sig os.Signal) { _ = s.cmd.Process.Signal(sig) } // it may have ended

// kill is kill -9.
func (s *server) kill() {
	s.signal(syscall.SIGKILL)
	<-s.exited
	s.client.CloseIdleConnections()
}

// terminate is SIGTERM; it returns the exit status.
func (s *server) terminate() int {
	s.signal(syscall.SIGTERM)
	<-s.exited
	return s.cmd.ProcessState.ExitCode()
}

// call sends a request and decodes the answer into out, if any; it returns the status.
func (s *server) call(method, path, body string, out any) (int, error) {
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.base+path, strings.NewReader(body))
	if err != nil {
		return 0, err
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return 0, err
	}
	defer func() { _ = resp.Body.Close() }() // it was read to its end
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, err
	}
	if out != nil && resp.StatusCode < 300 {
		err = json.Unmarshal(answer, out)
	}
	return resp.StatusCode, err
}

// must is call for what has to work.
func (s *server) must(method, path, body string, out any) {
	s.t.Helper()
	status, err := s.call(method, path, body, out)
	if err != nil || status >= 300 {
		s.t.Fatalf("%s %s %s: status %d, %v", method, path, body, status, err)
	}
}

// The answers, as clients see them.
type (
	contactJSON struct {
		ID       int64  `json:"id"`
		Source   int64  `json:"source_id"`
		Lead     int64  `json:"lead_id"`
		Operator int64  `json:"operator_id"`
		Status   string `json:"status"`
	}
	operatorJSON struct {
		ID      int64 `json:"id"`
		Load    int   `json:"load"`
		MaxLoad int   `json:"max_load"`
	}
	leadJSON struct {
		ID    int64  `json:"id"`
		Email string `json:"email"`
	}
	linkJSON struct {
		Operator int64   `json:"operator_id"`
		Weight   int64   `json:"weight"`
		Share    float64 `json:"target_share"`
		Received struct {
			Automatic, Sticky, Manual int64
		} `json:"received"`
		Lag float64 `json:"lag"`
	}
)

// list reads a list to its end.
func list[T any](s *server, path string) (all []T) {
	s.t.Helper()
	sep := "?"
	if strings.Contains(path, "?") {
		sep = "&"
	}
	after := ""
	for {
		var page struct {
			Items []T     `json:"items"`
			Next  *string `json:"next"`
		}
		s.must("GET", path+sep+"limit=1000"+after, "", &page)
		all = append(all, page.Items...)
		if page.Next == nil {
			return all
		}
		after = "&after=" + *page.Next
	}
}

// furnish makes sources and operators, all linked: operator i has weight weights[i-1].
func (s *server) furnish(sources, maxLoad int, weights []int) {
	s.t.Helper()
	for range weights {
		s.must("POST", "/v1/operators", fmt.Sprintf(`{"name":"op","max_load":%d}`, maxLoad), nil)
	}
	for source := range sources {
		s.must("POST", "/v1/sources", `{"name":"source"}`, nil)
		for op, weight := range weights {
			path := fmt.Sprintf("/v1/sources/%d/operators/%d", source+1, op+1)
			s.must("PUT", path, fmt.Sprintf(`{"weight":%d}`, weight), nil)
		}
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// runToEnd runs the binary to its end and returns what it said and its exit status.
func runToEnd(t *testing.T, args ...string) (string, int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	out, _ := cmd.CombinedOutput() // the exit status says it all
	return string(out), cmd.ProcessState.ExitCode()
}
