package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/alecthomas/units"
	"go.yaml.in/yaml/v3"
)

func deployed(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(deployDir, path))
	check(t, err)
	return string(text)
}

// blocks lists the lines in a document's blocks of code in one language.
func blocks(text, language string) (lines []string) {
	inside := false
	for line := range strings.SplitSeq(text, "\n") {
		switch {
		case strings.HasPrefix(line, "```"):
			inside = line == "```"+language
		case inside && line != "":
			lines = append(lines, line)
		}
	}
	return lines
}

// runbookQueries lists the queries of the runbook.
func runbookQueries(t *testing.T) (all []query) {
	for _, expr := range blocks(deployed(t, "RUNBOOK.md"), "promql") {
		all = append(all, query{"runbook", expr})
	}
	return all
}

// Catches: a command or a flag that the runbook names and the binary does not have: nobody finds out before the pager rings.
func TestRunbookCommandsExist(t *testing.T) {
	parser, _, err := newParser()
	check(t, err)
	word := regexp.MustCompile(`(?:^|[ '])minicrm ([a-z].*)`)
	end := regexp.MustCompile(`\s(#|\||&&|>).*|'.*`)
	values := strings.NewReplacer("$ADMIN", "http://127.0.0.1:8081", "$API", "http://127.0.0.1:8080", "$DATA", "/var/lib/minicrm",
		"$(date +%F)", "2026-01-01", " -e", "", "-u minicrm", "")
	found := 0
	for _, line := range blocks(deployed(t, "RUNBOOK.md"), "sh") {
		if strings.HasPrefix(line, "system") || strings.HasPrefix(line, "journal") {
			continue // there, minicrm is the name of the unit
		}
		for part := range strings.SplitSeq(line, "&&") {
			m := word.FindStringSubmatch(strings.TrimRight(part, " "))
			if m == nil || strings.Contains(part, "systemctl") {
				continue
			}
			found++
			if _, err := parser.Parse(strings.Fields(values.Replace(end.ReplaceAllString(m[1], "")))); err != nil && !strings.Contains(err.Error(), "no such file") {
				t.Errorf("%s: %v", line, err)
			}
		}
	}
	if found < 12 {
		t.Errorf("only %d commands were found", found)
	}
}

// Catches: a setting that a container, a Pod or a unit gives and that serve does not know, where it changes nothing.
func TestDeployedSettingsExist(t *testing.T) {
	parser, _, err := newParser()
	check(t, err)
	known := map[string]bool{"MINICRM_CONFIG": true}
	for _, flag := range serveFlags(parser.Model.Node) {
		for _, name := range flag.Envs {
			known[name] = true
		}
	}
	for _, file := range []string{"docker/Dockerfile", "docker/compose.yaml", "kubernetes/statefulset.yaml", "systemd/minicrm.service"} {
		names := regexp.MustCompile(`MINICRM_[A-Z_]+[A-Z]`).FindAllString(deployed(t, file), -1)
		if len(names) < 2 {
			t.Errorf("%s: settings %v", file, names)
		}
		for _, name := range names {
			if !known[name] {
				t.Errorf("%s: there is no setting %s", file, name)
			}
		}
	}
	if c, err := configured(t, "", "--config="+filepath.Join(deployDir, "systemd", "config.yaml")); err != nil || c.AdminListen != "127.0.0.1:8081" {
		t.Errorf("systemd/config.yaml: %+v, %v", c, err)
	}
}

// Catches: a limit of the runtime's memory that the kernel's limit does not leave room for, and a stop that is cut off.
func TestDeployedLimitsFitTogether(t *testing.T) {
	var set struct {
		Spec struct {
			Template struct {
				Spec struct {
					Grace      int `yaml:"terminationGracePeriodSeconds"`
					Containers []struct {
						Env       []struct{ Name, Value string }
						Resources struct{ Limits struct{ Memory string } }
					}
				}
			}
		}
	}
	check(t, yaml.Unmarshal([]byte(deployed(t, "kubernetes/statefulset.yaml")), &set))
	pod := set.Spec.Template.Spec
	for _, env := range pod.Containers[0].Env {
		if env.Name == "GOMEMLIMIT" {
			nineTenths(t, env.Value, pod.Containers[0].Resources.Limits.Memory+"B")
		}
	}
	var compose struct {
		Services map[string]struct {
			Environment map[string]string
			Limit       string `yaml:"mem_limit"`
			Grace       string `yaml:"stop_grace_period"`
		}
	}
	check(t, yaml.Unmarshal([]byte(deployed(t, "docker/compose.yaml")), &compose))
	service := compose.Services["minicrm"]
	nineTenths(t, service.Environment["GOMEMLIMIT"], strings.ToUpper(service.Limit)+"iB")
	unit := deployed(t, "systemd/minicrm.service")
	if pod.Grace < 45 || service.Grace != "60s" || !strings.Contains(unit, "TimeoutStopSec=60s") { // --shutdown-timeout is 30s
		t.Errorf("a stop may take %d s, %s", pod.Grace, service.Grace)
	}
}

// Catches: a Prometheus that scrapes native histograms and so throws away the classic buckets, which are all that the rules and
// the dashboard look at: their latencies would be empty, and an alert silent, for ever.
func TestClassicBucketsAreKept(t *testing.T) {
	var compose struct {
		Services map[string]struct{ Command []string }
	}
	check(t, yaml.Unmarshal([]byte(deployed(t, "docker/compose.yaml")), &compose))
	command := strings.Join(compose.Services["prometheus"].Command, " ")
	if !strings.Contains(command, "exemplar-storage") || strings.Contains(command, "native-histograms") {
		t.Errorf("compose.yaml starts Prometheus with %s", command)
	}
	var config struct {
		Global struct {
			Native bool `yaml:"scrape_native_histograms"`
		}
		Jobs []struct {
			Native bool `yaml:"scrape_native_histograms"`
		} `yaml:"scrape_configs"`
	}
	check(t, yaml.Unmarshal([]byte(deployed(t, "prometheus/prometheus.yml")), &config))
	if len(config.Jobs) != 1 || config.Jobs[0].Native || config.Global.Native {
		t.Errorf("prometheus.yml: %+v", config)
	}
	var monitor struct {
		Spec struct {
			Classic bool `yaml:"scrapeClassicHistograms"`
		}
	}
	check(t, yaml.Unmarshal([]byte(deployed(t, "kubernetes/servicemonitor.yaml")), &monitor))
	if !monitor.Spec.Classic {
		t.Error("servicemonitor.yaml does not ask for the classic buckets")
	}
}

func nineTenths(t *testing.T, limit, of string) {
	t.Helper()
	low, err := units.ParseBase2Bytes(limit)
	check(t, err)
	high, err := units.ParseBase2Bytes(of)
	check(t, err)
	if ratio := float64(low) / float64(high); ratio < 0.8 || ratio > 0.91 {
		t.Errorf("GOMEMLIMIT=%s is %.2f of %s", limit, ratio, of)
	}
}
