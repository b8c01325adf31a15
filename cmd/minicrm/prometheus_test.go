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
func (p *watcher) query(expr string) []sample {
	p.t.Helper()
	var data struct{ Result []sample }
	if err := p.get("query", url.Values{"query": {expr}}, &data); err != nil {
		p.t.Errorf("%s: %v", expr, err)
	}
	return data.Result
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

// traffic posts contacts and closes them, from several clients, until its end is called.
func traffic(s *server) (end func()) {
	ctx, cancel := context.WithCancel(s.t.Context())
	var work sync.WaitGroup
	for client := range 4 {
		work.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
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
	options := []string{"--listen", address, "--metrics-labels=source,operator", "--snapshot-every=5000"}
	s := startServer(t, data, "", options...)
	s.furnish(2, 10, []int{1, 2, 3})
	p := startPrometheus(t, address)
	end := traffic(s)
	eventually(t, "Prometheus has scraped and evaluated for a while", 60*time.Second, func() bool {
		var result struct{ Result []sample }
		err := p.get("query", url.Values{"query": {`count_over_time(instance:minicrm_contacts:rate1m{outcome="assigned"}[1m]) >= 15`}}, &result)
		return err == nil && len(result.Result) == 1
	})
	t.Run("healthy", func(t *testing.T) { p.healthy(t) })
	t.Run("dashboard", func(t *testing.T) { p.dashboard(t) })
	end()
	t.Run("nobody eligible", func(t *testing.T) { p.nobodyEligible(t, s) })
	s.kill()
	eventually(t, "MinicrmNotReady fires, alone, once the process is killed", patience, func() bool {
		return slices.Equal(p.names(), []string{"MinicrmNotReady"})
	})
	startServer(t, data, "", options...)
	eventually(t, "it resolves after the restart, and one restart is none too many", patience, func() bool { return len(p.names()) == 0 })
}

// healthy checks that all rules work, that every alert looks at what there is, and that no expression returns anything.
func (p *watcher) healthy(t *testing.T) {
	var data struct {
		Groups []struct {
			Rules []struct{ Name, Health, LastError, State string }
		}
	}
	check(t, p.get("rules", nil, &data))
	rules := 0
	for _, g := range data.Groups {
		for _, r := range g.Rules {
			rules++
			if r.Health != "ok" || r.State != "" && r.State != "inactive" {
				t.Errorf("rule %s: %s %s %s", r.Name, r.Health, r.State, r.LastError)
			}
		}
	}
	if want := len(rulesIn(t, "rules.yml")) + len(rulesIn(t, "alerts.yml")); rules != want {
		t.Errorf("%d rules instead of %d", rules, want)
	}
	for _, r := range rulesIn(t, "alerts.yml") {
		if result := p.query(r.Expr); len(result) != 0 {
			t.Errorf("%s: %v", r.Alert, result)
		}
		for _, name := range metricsIn(r.Expr) {
			if len(p.query("count("+name+")")) == 0 {
				t.Errorf("%s looks at %s, which Prometheus does not have", r.Alert, name)
			}
		}
	}
}

// dashboard checks that every query of the dashboard returns something, but for those of what did not happen.
func (p *watcher) dashboard(t *testing.T) {
	nothing := regexp.MustCompile(`status=~"5\.\."|^ALERTS`)
	variables := strings.NewReplacer("$instance", ".*", "$source", ".*", "$__rate_interval", "15s")
	for _, q := range dashboardQueries(t) {
		expr := variables.Replace(q.expr)
		result := p.query(expr)
		if len(result) == 0 && !nothing.MatchString(expr) {
			t.Errorf("%s is empty: %s", q.where, expr)
		}
		for _, s := range result {
			if s.Value[1] == "NaN" {
				t.Errorf("%s is not a number: %s %v", q.where, expr, s.Metric)
			}
		}
	}
	now := time.Now()
	for _, name := range []string{"minicrm_http_request_duration_seconds_bucket", "minicrm_time_to_assignment_seconds_bucket"} {
		var exemplars []struct {
			Exemplars []struct{ Labels map[string]string }
		}
		check(t, p.get("query_exemplars", url.Values{
			"query": {name}, "start": {fmt.Sprint(now.Add(-time.Minute).Unix())}, "end": {fmt.Sprint(now.Unix() + 1)},
		}, &exemplars))
		ids := map[string]bool{}
		for _, series := range exemplars {
			for _, e := range series.Exemplars {
				ids[e.Labels["request_id"]] = true
			}
		}
		if delete(ids, ""); len(ids) == 0 {
			t.Errorf("%s has no exemplars with request ids", name)
		}
		t.Logf("%s: %d requests as exemplars", name, len(ids))
	}
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
	if got := p.query(`minicrm_open_contacts{reason="all_inactive"}`); len(got) != 1 || got[0].Value[1] != "1" {
		t.Errorf("open contacts: %v", got)
	}
	active(true)
	eventually(t, "it resolves when they are back, and the contact is assigned", patience, func() bool { return len(p.names()) == 0 })
	s.must("GET", fmt.Sprintf("/v1/contacts/%d", c.ID), "", &c)
	if c.Status != "assigned" {
		t.Errorf("the contact is %s", c.Status)
	}
}
