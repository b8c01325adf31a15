package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"go.yaml.in/yaml/v3"
)

const deployDir = "../../deploy"

// query is a PromQL expression that somebody relies on.
type query struct{ where, expr string }

// alertRule is a rule of a file for Prometheus.
type alertRule struct {
	Record, Alert, Expr string
	For                 string
	Labels, Annotations map[string]string
}

// rulesIn lists the rules of a file in deploy/prometheus.
func rulesIn(t *testing.T, file string) (rules []alertRule) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(deployDir, "prometheus", file))
	check(t, err)
	var content struct {
		Groups []struct {
			Name  string
			Rules []alertRule
		}
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	check(t, decoder.Decode(&content))
	for _, g := range content.Groups {
		rules = append(rules, g.Rules...)
	}
	return rules
}

// dashboardQueries lists the queries of the dashboard: of panels, variables and annotations.
func dashboardQueries(t *testing.T) (all []query) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(deployDir, "grafana", "minicrm.json"))
	check(t, err)
	var d struct {
		Panels []struct {
			Title, Type string
			Targets     []struct{ Expr string }
		}
		Templating struct {
			List []struct{ Name, Type, Definition string }
		}
		Annotations struct{ List []struct{ Name, Expr string } }
	}
	check(t, json.Unmarshal(text, &d))
	for _, p := range d.Panels {
		if p.Type != "row" && len(p.Targets) == 0 {
			t.Errorf("panel %q has no query", p.Title)
		}
		for _, target := range p.Targets {
			all = append(all, query{"panel " + p.Title, target.Expr})
		}
	}
	for _, v := range d.Templating.List {
		if v.Type == "query" {
			name, _, _ := strings.Cut(strings.TrimPrefix(v.Definition, "label_values("), ",")
			all = append(all, query{"variable " + v.Name, name})
		}
	}
	for _, a := range d.Annotations.List {
		all = append(all, query{"annotation " + a.Name, a.Expr})
	}
	return all
}

var (
	notNames = regexp.MustCompile(`"[^"]*"|\{[^}]*\}|\[[^\]]*\]|\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)`)
	promWord = regexp.MustCompile(`([a-zA-Z_:][a-zA-Z0-9_:]*)(\s*\()?`)
	keywords = []string{"and", "or", "unless", "offset", "by", "on", "without", "ignoring", "group_left", "group_right", "bool"}
	// builtin are metrics that Prometheus makes itself.
	builtin = []string{"up", "ALERTS"}
)

// metricsIn lists the metrics that an expression names: the words that are neither functions, nor labels, nor keywords.
// Durations have a digit before them.
func metricsIn(expr string) (names []string) {
	expr = notNames.ReplaceAllString(expr, " ")
	expr = regexp.MustCompile(`\b[0-9][0-9a-z.]*`).ReplaceAllString(expr, " ")
	for _, m := range promWord.FindAllStringSubmatch(expr, -1) {
		if m[2] == "" && !slices.Contains(keywords, m[1]) {
			names = append(names, m[1])
		}
	}
	return names
}

func TestMetricsIn(t *testing.T) {
	for expr, want := range map[string]string{
		`sum by (job, le) (rate(a_bucket{x=~"y z"}[5m])) > 0.1`:                    "a_bucket",
		`a:b:c / on (job) group_left () (sum(d offset 1h) > 4 * 3600)`:             "a:b:c d",
		`max_over_time(a[1m]) > 0 and increase(b{k="c"}[1m]) == 0 or absent(up)`:   "a b up",
		"instance:x:p99_5m\n  unless\nminicrm_y5":                                  "instance:x:p99_5m minicrm_y5",
		`histogram_quantile(0.99, sum by (le) (rate(q_bucket[$__rate_interval])))`: "q_bucket",
	} {
		if got := strings.Join(metricsIn(expr), " "); got != want {
			t.Errorf("%s: %s, want %s", expr, got, want)
		}
	}
}

// scrape gets /metrics.
func (s *server) scrape(accept string) string {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.base+"/metrics", nil)
	check(s.t, err)
	req.Header.Set("Accept", accept)
	resp, err := s.client.Do(req)
	check(s.t, err)
	defer func() { _ = resp.Body.Close() }() // it was read to its end
	text, err := io.ReadAll(resp.Body)
	check(s.t, err)
	return string(text)
}

// seriesIn lists the names of a scrape's series.
func seriesIn(text string) map[string]bool {
	names := map[string]bool{}
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "#") {
			names[line[:strings.IndexAny(line, "{ ")]] = true
		}
	}
	return names
}

// underLoad is a server that contacts have come to.
func underLoad(t *testing.T, options ...string) *server {
	s := startServer(t, t.TempDir(), "", options...)
	s.furnish(2, 10, []int{1, 2, 3})
	for i := range 40 {
		s.must("POST", "/v1/contacts", fmt.Sprintf(`{"source_id":%d,"email":"lead%d@example.com"}`, i%2+1, i), nil)
	}
	for id := range 10 {
		s.must("POST", fmt.Sprintf("/v1/contacts/%d/close", id+1), "", nil)
	}
	return s
}

// Catches a panel, rule or alert that looks at a metric that does not exist: it would be empty, or silent, for ever.
func TestEveryQueryHasItsMetrics(t *testing.T) {
	names := seriesIn(underLoad(t, "--metrics-labels=source,operator").scrape(""))
	for _, name := range builtin {
		names[name] = true
	}
	queries := append(dashboardQueries(t), runbookQueries(t)...)
	for _, r := range slices.Concat(rulesIn(t, "rules.yml"), rulesIn(t, "alerts.yml")) {
		if r.Record != "" {
			names[r.Record] = true
		}
		queries = append(queries, query{"rule " + r.Record + r.Alert, r.Expr})
	}
	if len(queries) < 60 {
		t.Errorf("only %d queries were found", len(queries))
	}
	for _, q := range queries {
		used := metricsIn(q.expr)
		if len(used) == 0 {
			t.Errorf("%s: no metric in %s", q.where, q.expr)
		}
		for _, name := range used {
			if !names[name] {
				t.Errorf("%s: there is no metric %s", q.where, name)
			}
		}
	}
}

// Catches names, units and help texts that Prometheus' own linter does not like, and metrics that only exist once
// something has happened.
func TestMetricsAreLinted(t *testing.T) {
	s := underLoad(t, "--metrics-labels=source,operator")
	text := s.scrape("")
	problems, err := promlint.New(bytes.NewReader([]byte(text))).Lint()
	check(t, err)
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
	after := seriesIn(text)
	before := seriesIn(startServer(t, t.TempDir(), "", "--metrics-labels=source,operator").scrape(""))
	for name := range maps.Keys(after) {
		ofSomething := regexp.MustCompile("^minicrm_(http_request_|backlog_|source_|link_|operator_|contacts_total|contact_changes_total|assignments_total)")
		if !before[name] && !ofSomething.MatchString(name) {
			t.Errorf("%s is not there in an empty house", name)
		}
	}
}

// Catches a label that comes though nobody asked for it, and a latency without the ids of requests.
func TestLabelsAndExemplars(t *testing.T) {
	s := underLoad(t, "--metrics-labels=none")
	text := s.scrape("application/openmetrics-text;version=1.0.0")
	for _, label := range []string{`source="`, `operator="`} {
		if strings.Contains(text, label) {
			t.Errorf("there is a label %s", label)
		}
	}
	for _, name := range []string{"minicrm_http_request_duration_seconds_bucket", "minicrm_time_to_assignment_seconds_bucket"} {
		if !regexp.MustCompile(`(?m)^` + name + `\{.* # \{request_id="[0-9a-f]{32}"\}`).MatchString(text) {
			t.Errorf("%s has no exemplar", name)
		}
	}
	if !strings.Contains(text, "minicrm_ready 1") || !strings.Contains(text, "minicrm_build_info{") {
		t.Error("neither ready nor known")
	}
	if text := underLoad(t).scrape(""); !strings.Contains(text, `minicrm_backlog_contacts{source="1"}`) || strings.Contains(text, `operator="`) {
		t.Error("the default is not the source alone")
	}
	for _, bad := range []string{"lead", "none,source"} {
		if out, status := runToEnd(t, "serve", "--data", t.TempDir(), "--metrics-labels="+bad); status == 0 || !strings.Contains(out, "metrics-labels") {
			t.Errorf("--metrics-labels=%s: status %d, %s", bad, status, out)
		}
	}
}

// Catches an alert without what whoever is woken needs, and one that is not tested.
func TestAlertsAreComplete(t *testing.T) {
	runbook, err := os.ReadFile(filepath.Join(deployDir, "RUNBOOK.md"))
	check(t, err)
	var tests strings.Builder
	files, err := filepath.Glob(filepath.Join(deployDir, "prometheus", "*_test.yml"))
	check(t, err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		check(t, err)
		tests.Write(text)
	}
	for _, r := range rulesIn(t, "alerts.yml") {
		if r.Annotations["summary"] == "" || r.Annotations["description"] == "" || r.Labels["severity"] == "" {
			t.Errorf("%s: %+v", r.Alert, r)
		}
		if want := "deploy/RUNBOOK.md#" + strings.ToLower(r.Alert); r.Annotations["runbook"] != want {
			t.Errorf("%s: runbook %q instead of %q", r.Alert, r.Annotations["runbook"], want)
		}
		if !regexp.MustCompile(`(?m)^#+ ` + r.Alert + `$`).Match(runbook) {
			t.Errorf("%s has no section in the runbook", r.Alert)
		}
		fires := regexp.MustCompile(`alertname: ` + r.Alert + `\n\s+exp_alerts:\n`)
		silent := regexp.MustCompile(`alertname: ` + r.Alert + `, exp_alerts: \[\]`)
		if !fires.MatchString(tests.String()) || !silent.MatchString(tests.String()) {
			t.Errorf("%s is not tested both ways", r.Alert)
		}
	}
}
