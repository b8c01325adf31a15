package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// with is the server as somebody with a key sees it.
func (s *server) with(key string) *server {
	other := *s
	other.client = &http.Client{Transport: bearer{key, s.client.Transport}}
	return &other
}

type bearer struct {
	key  string
	next http.RoundTripper
}

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+b.key)
	return b.next.RoundTrip(r)
}

// newKey runs the tool and adds what it prints to a file.
func newKey(t *testing.T, file string, args ...string) string {
	t.Helper()
	entry, key, code := runTool(t, append([]string{"key", "new"}, args...)...)
	key = strings.TrimSpace(key)
	if code != 0 || !strings.HasPrefix(key, "mcrm_") || strings.Contains(entry, key) {
		t.Fatalf("exit status %d: %s %s", code, key, entry)
	}
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	check(t, err)
	_, err = f.WriteString(entry)
	check(t, err)
	check(t, f.Close())
	return key
}

// await waits until something holds.
func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for limit := time.After(15 * time.Second); !holds(); {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("%s: not after 15 s", what)
		}
	}
}

func (s *server) status(path string) int {
	status, err := s.call("GET", path, "", nil)
	check(s.t, err)
	return status
}

// Catches: keys that the tool makes and the server does not know; a change of the file that is not seen, also by rename; a
// bad file that is used, that locks out everybody, or that nobody hears of; a SIGHUP that ends the process.
func TestKeysOfARunningServer(t *testing.T) {
	file := filepath.Join(t.TempDir(), "keys.yaml")
	root := newKey(t, file, "--name=root", "--role=admin")
	chat := newKey(t, file, "--name=chat", "--role=gateway", "--source=1", "--expires=2999-01-01")
	data := t.TempDir()
	s := startServer(t, data, "", "--keys="+file, "--log-level=debug", "--listen=:0")
	if s.status("/v1/sources") != 401 || s.with("mcrm_wrong").status("/v1/sources") != 401 || s.status("/healthz") != 200 {
		t.Error("somebody came in without a key")
	}
	s.with(root).furnish(2, 5, []int{1})
	s.with(chat).must("POST", "/v1/contacts", `{"source_id":1,"email":"a@example.org"}`, nil)
	if status, err := s.with(chat).call("POST", "/v1/contacts", `{"source_id":2,"email":"a@example.org"}`, nil); status != 403 || err != nil {
		t.Errorf("another's source: %d %v", status, err)
	}

	viewer := newKey(t, file, "--name=viewer", "--role=viewer")
	await(t, "the new key", func() bool { return s.with(viewer).status("/v1/sources") == 200 })

	s.signal(syscall.SIGHUP)
	await(t, "a word about the SIGHUP", func() bool { return strings.Contains(s.stderr.String(), `msg="read again" what=keys why=SIGHUP`) })
	whole, err := os.ReadFile(file)
	check(t, err)
	check(t, os.WriteFile(file, append(whole, "- {name: bad}"...), 0o600))
	await(t, "the bad file in the metrics", func() bool { return s.with(viewer).reloadMetric("keys") == "0" })
	s.with(chat).must("POST", "/v1/contacts", `{"source_id":1,"email":"b@example.org"}`, nil)
	if said := s.stderr.String(); !strings.Contains(said, "key 4: role must be") {
		t.Errorf("it says only:\n%s", said)
	}

	next := file + ".new"
	check(t, os.WriteFile(next, whole[:strings.Index(string(whole), "- name: chat")], 0o600))
	check(t, os.Rename(next, file))
	s.signal(syscall.SIGHUP)
	await(t, "the key that was taken out", func() bool { return s.with(chat).status("/v1/contacts?source_id=1") == 401 })
	if got := s.with(root).reloadMetric("keys"); got != "1" {
		t.Errorf("the metric is %q", got)
	}
	wantRun(t, 1, "401", "backup", data, filepath.Join(t.TempDir(), "without"), "--server="+s.base)
	wantRun(t, 0, "the backup is in", "backup", data, filepath.Join(t.TempDir(), "with"), "--server="+s.base, "--key="+root)
	if code := s.terminate(); code != 0 {
		t.Errorf("exit status %d", code)
	}
	logs := s.stderr.String()
	for _, key := range []string{root, chat, viewer} {
		if strings.Contains(logs, key) {
			t.Error("a key is in the log")
		}
	}
	if !strings.Contains(logs, "caller=chat method=POST route=/v1/contacts status=201") || !strings.Contains(logs, "keys travel unencrypted") {
		t.Errorf("the log lacks the caller or the warning:\n%s", logs)
	}
}

// reloadMetric is what /metrics says of the last reading of something.
func (s *server) reloadMetric(what string) string {
	m := regexp.MustCompile(`minicrm_reload_successful\{what="` + what + `"\} (\S+)`).FindStringSubmatch(s.text("/metrics"))
	if m == nil {
		return ""
	}
	return m[1]
}

// Catches: a server without keys that others can reach, and one that cannot be told to be one.
func TestWithoutKeysOnlyLoopback(t *testing.T) {
	for _, options := range [][]string{{"--listen=:0"}, {"--listen=0.0.0.0:0"}, {"--listen=[::]:0"}, {"--listen=127.0.0.1:0", "--admin-listen=:0"}} {
		out, code := runToEnd(t, append([]string{"serve", "--data", t.TempDir()}, options...)...)
		if code == 0 || !strings.Contains(out, "--insecure-no-auth") || strings.Contains(out, "ready") {
			t.Errorf("%v: exit status %d: %s", options, code, out)
		}
	}
	s := startServer(t, t.TempDir(), "", "--listen=:0", "--insecure-no-auth")
	s.furnish(1, 1, []int{1})
	missing := filepath.Join(t.TempDir(), "none")
	if out, code := runToEnd(t, "serve", "--data", t.TempDir(), "--keys", missing); code == 0 || !strings.Contains(out, missing) {
		t.Errorf("a keys file that is not there: exit status %d: %s", code, out)
	}
}

// Catches: a tool that makes keys which the file may not have.
func TestKeyNewRefuses(t *testing.T) {
	for _, args := range [][]string{
		{"--name=a b", "--role=admin"}, {"--name=a", "--role=root"}, {"--name=a"}, {"--role=admin"},
		{"--name=a", "--role=viewer", "--source=1"}, {"--name=a", "--role=gateway", "--source=0"}, {"--name=a", "--role=admin", "--expires=soon"},
	} {
		if out, said, code := runTool(t, append([]string{"key", "new"}, args...)...); code == 0 || strings.Contains(out+said, "mcrm_") {
			t.Errorf("%v: exit status %d: %s %s", args, code, out, said)
		}
	}
}

// Catches: probes that are on both listeners or on none, an admin listener that is not there while the state is recovered
// or while the server stops, a level that does not change.
func TestAdminListener(t *testing.T) {
	file := filepath.Join(t.TempDir(), "keys.yaml")
	root := newKey(t, file, "--name=root", "--role=admin")
	config := filepath.Join(t.TempDir(), "config.yaml")
	check(t, os.WriteFile(config, []byte("log-level: info\n"), 0o600))
	t.Setenv("MINICRM_CONFIG", config)
	s := startServer(t, t.TempDir(), "", "--keys="+file, "--admin-listen=127.0.0.1:0")
	m := regexp.MustCompile(`admin=(\S+)`).FindStringSubmatch(s.stderr.String())
	if m == nil {
		t.Fatal("the admin listener is not announced")
	}
	admin := *s
	admin.base = "http://" + m[1]
	for path, want := range map[string]int{"/healthz": 200, "/readyz": 200, "/metrics": 200, "/debug/pprof/": 401, "/log-level": 401, "/v1/sources": 401} {
		if got := admin.status(path); got != want {
			t.Errorf("admin %s: %d, want %d", path, got, want)
		}
	}
	for _, path := range []string{"/healthz", "/metrics", "/debug/pprof/"} {
		if got := s.with(root).status(path); got != 404 {
			t.Errorf("main %s: %d", path, got)
		}
	}
	admin.with(root).must("PUT", "/log-level", "debug", nil)
	s.with(root).must("GET", "/v1/sources", "", nil)
	await(t, "a line at debug", func() bool { return strings.Contains(s.stderr.String(), "route=/v1/sources") })
	check(t, os.WriteFile(config, []byte("log-level: error\nmax-in-flight: 7\n"), 0o600))
	s.signal(syscall.SIGHUP)
	await(t, "the level in the file", func() bool { return admin.with(root).text("/log-level") == "error" })
	if !strings.Contains(s.stderr.String(), "they need a restart") {
		t.Error("nobody is told that max-in-flight needs a restart")
	}
	if !strings.Contains(admin.metrics(), fmt.Sprintf("minicrm_http_connections %d", 1)) {
		t.Error("the connections are not counted")
	}
	if code := s.terminate(); code != 0 {
		t.Errorf("exit status %d", code)
	}
}
