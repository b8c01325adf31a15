package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// The rules, the alerts and the dashboard with a real Prometheus: make e2e-prometheus.
var prometheusFlag = flag.String("prometheus", "", "run the end-to-end test with this program, Prometheus")

// watcher is a Prometheus that scrapes a server every second, with our rules.
type watcher struct {
	t    *testing.T
	base string
	http *http.Client
}

// patience is how long an alert may take to fire or to resolve: scrapes and rules come every second, and alerts hold for
// holdFor.
const (
	patience = 30 * time.Second
	holdFor  = "2s"
)

// startPrometheus runs until the test ends.
func startPrometheus(t *testing.T, target string) *watcher {
	t.Helper()
	dir, address := t.TempDir(), freeAddress(t)
	for _, file := range []string{"prometheus.yml", "rules.yml", "alerts.yml"} {
		text, err := os.ReadFile(filepath.Join(deployDir, "prometheus", file))
		check(t, err)
		text = regexp.MustCompile(`(?m)^( *for:) .*$`).ReplaceAll(text, []byte("$1 "+holdFor))
		text = regexp.MustCompile(`(scrape_interval|evaluation_interval): .*`).ReplaceAll(text, []byte("$1: 1s"))
		text = regexp.MustCompile(`targets: .*`).ReplaceAll(text, []byte(`targets: ["`+target+`"]`))
		check(t, os.WriteFile(filepath.Join(dir, file), text, 0o600))
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	check(t, err)
	cmd := exec.CommandContext(context.Background(), *prometheusFlag, //nolint:gosec // whoever runs the test names the program
		"--config.file="+filepath.Join(dir, "prometheus.yml"), "--storage.tsdb.path="+filepath.Join(dir, "data"),
		"--web.listen-address="+address, "--enable-feature=exemplar-storage")
	cmd.Stdout, cmd.Stderr = log, log
	check(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended
		_ = cmd.Wait()
		if text, err := os.ReadFile(log.Name()); t.Failed() && err == nil {
			t.Logf("Prometheus said:\n%s", text)
		}
	})
	return &watcher{t, "http://" + address, &http.Client{Timeout: 10 * time.Second}}
}

// freeAddress is an address of this machine that nobody listens on.
func freeAddress(t *testing.T) string {
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	check(t, err)
	defer func() { _ = l.Close() }() // nobody connected
	return l.Addr().String()
}

// get asks the HTTP API.
func (p *watcher) get(path string, params url.Values, data any) error {
	req, err := http.NewRequestWithContext(p.t.Context(), http.MethodGet, p.base+"/api/v1/"+path+"?"+params.Encode(), nil)
	if err != nil {
		return err
	}
	resp, err := p.http.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }() // it was read to its end
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	answer := struct {
		Status, Error string
		Data          any
	}{Data: data}
	if err := json.Unmarshal(text, &answer); err != nil || answer.Status != "success" {
		return fmt.Errorf("%s %v: %s %w", path, params, text, err)
	}
	return nil
}

// sample is one series of an answer, and its value.
type sample struct {
	Metric map[string]string
	Value  [2]any
}

// query is an instant query.
func (p *watcher) query(expr string) ([]sample, error) {
	var data struct{ Result []sample }
	err := p.get("query", url.Values{"query": {expr}}, &data)
	return data.Result, err
}

// firing lists the alerts that fire, as Prometheus' API has them.
func (p *watcher) firing() (all []map[string]string) {
	var data struct {
		Alerts []struct {
			State  string
			Labels map[string]string
		}
	}
	if err := p.get("alerts", nil, &data); err != nil {
		return nil // it is still starting
	}
	for _, a := range data.Alerts {
		if a.State == "firing" {
			all = append(all, a.Labels)
		}
	}
	return all
}

// names lists the alerts that fire by name and source.
func (p *watcher) names() []string {
	var names []string
	for _, a := range p.firing() {
		names = append(names, strings.TrimSpace(a["alertname"]+" "+a["source"]))
	}
	slices.Sort(names)
	return names
}

// eventually waits for something.
func eventually(t *testing.T, what string, within time.Duration, holds func() bool) {
	t.Helper()
	start := time.Now()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		if time.Since(start) > within {
			t.Fatalf("not within %v: %s", within, what)
		}
		<-tick.C
	}
	t.Logf("after %.1f s: %s", time.Since(start).Seconds(), what)
}

// settled runs an examination until it finds nothing wrong, and then says what it found last: on a busy machine a scrape
// may take longer than its second, and all series are stale then until the next.
func settled(t *testing.T, examine func() []string) {
	t.Helper()
	var wrong []string
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for range 20 {
		if wrong = examine(); len(wrong) == 0 {
			return
		}
		<-tick.C
	}
	t.Error(strings.Join(wrong, "\n"))
}

// traffic posts contacts and closes them, from several clients, until its end is called.
func traffic(s *server) (end func()) {
	ctx, cancel := context.WithCancel(s.t.Context())
	var work sync.WaitGroup
	for client := range 4 {
		work.Go(func() {
			tick := time.NewTicker(10 * time.Millisecond) // each; the rest of the machine is for Prometheus
			defer tick.Stop()
			for n := 0; ctx.Err() == nil; n++ {
				<-tick.C
				var c contactJSON
				body := fmt.Sprintf(`{"source_id":%d,"email":"lead%d@example.com"}`, n%2+1, n%50*4+client)
				if status, err := s.call("POST", "/v1/contacts", body, &c); err == nil && status < 300 {
					_, _ = s.call("POST", fmt.Sprintf("/v1/contacts/%d/close", c.ID), "", nil) // load is load
				}
			}
		})
	}
	return func() { cancel(); work.Wait() }
}

// TestPrometheus is a day in the life of whoever has the pager, in a minute.
func TestPrometheus(t *testing.T) {
	if *prometheusFlag == "" {
		t.Skip("needs a Prometheus: make e2e-prometheus")
	}
	data, address := t.TempDir(), freeAddress(t)
	options := []string{"--listen", address, "--metrics-labels=source,operator", "--snapshot-every=2000"}
	s := startServer(t, data, "", options...)
	s.furnish(2, 10, []int{1, 2, 3})
	p := startPrometheus(t, address)
	end := traffic(s)
	eventually(t, "Prometheus has scraped and evaluated for a while", 60*time.Second, func() bool {
		var result struct{ Result []sample }
		err := p.get("query", url.Values{"query": {`count_over_time(instance:minicrm_contacts:rate1m{outcome="assigned"}[1m]) >= 15`}}, &result)
		return err == nil && len(result.Result) == 1
	})
	t.Run("healthy", func(t *testing.T) { settled(t, p.healthy) })
	t.Run("dashboard", func(t *testing.T) { settled(t, p.dashboard) })
	end()
	t.Run("nobody eligible", func(t *testing.T) { p.nobodyEligible(t, s) })
	s.kill()
	eventually(t, "MinicrmNotReady fires, alone, once the process is killed", patience, func() bool {
		return slices.Equal(p.names(), []string{"MinicrmNotReady"})
	})
	startServer(t, data, "", options...)
	eventually(t, "it resolves after the restart, and one restart is none too many", patience, func() bool { return len(p.names()) == 0 })
}

// healthy says which rules do not work, which alerts look at what there is not, and which expressions return anything.
func (p *watcher) healthy() (wrong []string) {
	say := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	var data struct {
		Groups []struct {
			Rules []struct{ Name, Health, LastError, State string }
		}
	}
	if err := p.get("rules", nil, &data); err != nil {
		say("%v", err)
	}
	rules := 0
	for _, g := range data.Groups {
		for _, r := range g.Rules {
			rules++
			if r.Health != "ok" || r.State != "" && r.State != "inactive" {
				say("rule %s: %s %s %s", r.Name, r.Health, r.State, r.LastError)
			}
		}
	}
	if want := len(rulesIn(p.t, "rules.yml")) + len(rulesIn(p.t, "alerts.yml")); rules != want {
		say("%d rules instead of %d", rules, want)
	}
	for _, r := range rulesIn(p.t, "alerts.yml") {
		if result, err := p.query(r.Expr); err != nil || len(result) != 0 {
			say("%s: %v %v", r.Alert, result, err)
		}
		for _, name := range metricsIn(r.Expr) {
			if result, err := p.query("count(" + name + ")"); err != nil || len(result) == 0 {
				say("%s looks at %s, which Prometheus does not have: %v", r.Alert, name, err)
			}
		}
	}
	return wrong
}

// dashboard says which queries of the dashboard return nothing, but for those of what did not happen.
func (p *watcher) dashboard() (wrong []string) {
	say := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	nothing := regexp.MustCompile(`status=~"5\.\."|^ALERTS`)
	variables := strings.NewReplacer("$instance", ".*", "$source", ".*", "$__rate_interval", "15s")
	for _, q := range dashboardQueries(p.t) {
		expr := variables.Replace(q.expr)
		result, err := p.query(expr)
		if err != nil || len(result) == 0 && !nothing.MatchString(expr) {
			say("%s is empty: %s %v", q.where, expr, err)
		}
		for _, s := range result {
			if s.Value[1] == "NaN" {
				say("%s is not a number: %s %v", q.where, expr, s.Metric)
			}
		}
	}
	for _, name := range []string{"minicrm_http_request_duration_seconds_bucket", "minicrm_time_to_assignment_seconds_bucket"} {
		if ids, err := p.exemplars(name); err != nil || len(ids) == 0 {
			say("%s has no exemplars with request ids: %v", name, err)
		}
	}
	return wrong
}

// exemplars lists the requests that a histogram has had as exemplars in the last minute.
func (p *watcher) exemplars(histogram string) (ids []string, err error) {
	now := time.Now().Unix()
	var data []struct {
		Exemplars []struct{ Labels map[string]string }
	}
	err = p.get("query_exemplars", url.Values{"query": {histogram}, "start": {fmt.Sprint(now - 60)}, "end": {fmt.Sprint(now + 1)}}, &data)
	for _, series := range data {
		for _, e := range series.Exemplars {
			if id := e.Labels["request_id"]; id != "" {
				ids = append(ids, id)
			}
		}
	}
	return ids, err
}

// nobodyEligible sends all operators of a source away while contacts come.
func (p *watcher) nobodyEligible(t *testing.T, s *server) {
	active := func(yes bool) {
		for op := 1; op <= 3; op++ {
			s.must("PATCH", fmt.Sprintf("/v1/operators/%d", op), fmt.Sprintf(`{"active":%v}`, yes), nil)
		}
	}
	active(false)
	var c contactJSON
	s.must("POST", "/v1/contacts", `{"source_id":2,"email":"patient@example.com"}`, &c)
	if c.Status != "open" {
		t.Fatalf("the contact is %s", c.Status)
	}
	eventually(t, "MinicrmNobodyEligible fires for source 2, alone", patience, func() bool {
		return slices.Equal(p.names(), []string{"MinicrmNobodyEligible 2"})
	})
	settled(t, func() []string {
		if got, err := p.query(`minicrm_open_contacts{reason="all_inactive"}`); err != nil || len(got) != 1 || got[0].Value[1] != "1" {
			return []string{fmt.Sprint("open contacts: ", got, err)}
		}
		return nil
	})
	active(true)
	eventually(t, "it resolves when they are back, and the contact is assigned", patience, func() bool { return len(p.names()) == 0 })
	s.must("GET", fmt.Sprintf("/v1/contacts/%d", c.ID), "", &c)
	if c.Status != "assigned" {
		t.Errorf("the contact is %s", c.Status)
	}
}
