package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var updateReadme = flag.Bool("readme.update", false, "write the README's table of options")

// configured reads a command line as main does.
func configured(t *testing.T, file string, args ...string) (Config, error) {
	t.Helper()
	if file != "" {
		path := filepath.Join(t.TempDir(), "config.yaml")
		check(t, os.WriteFile(path, []byte(file), 0o600))
		args = append(args, "--config="+path)
	}
	_, line, err := parse(append([]string{"serve"}, args...))
	return line.Serve.Config, err
}

// Catches: a place for settings that is not asked, or that wins over one that comes before it.
func TestFlagsThenEnvironmentThenFile(t *testing.T) {
	const file = "data: file\nlisten: 127.0.0.1:3\nmax-in-flight: 3\nretain-closed: 3s\nmin-free-disk: 3MiB\nlog-level: warn\ncors-origin: [https://a.example, https://b.example]\ninsecure-no-auth: true\nrate-limit: 1.5\n"
	t.Setenv("MINICRM_DATA", "environment")
	t.Setenv("MINICRM_LISTEN", "127.0.0.1:2")
	t.Setenv("MINICRM_LOG_FORMAT", "json")
	c, err := configured(t, file, "--data=flag")
	if err != nil {
		t.Fatal(err)
	}
	if c.Data != "flag" || c.Listen != "127.0.0.1:2" || c.LogFormat != "json" || c.MaxInFlight != 3 || c.RetainClosed != 3*time.Second ||
		c.MinFreeDisk != 3<<20 || c.LogLevel.String() != "WARN" || len(c.CORSOrigin) != 2 || !c.InsecureNoAuth || c.RateLimit != 1.5 || c.SnapshotEvery != 1_000_000 {
		t.Errorf("%+v", c)
	}
	path := filepath.Join(t.TempDir(), "config.yaml")
	check(t, os.WriteFile(path, []byte("max-connections: 7"), 0o600))
	t.Setenv("MINICRM_CONFIG", path)
	if c, err := configured(t, ""); err != nil || c.MaxConnections != 7 {
		t.Errorf("by MINICRM_CONFIG: %+v %v", c, err)
	}
	if _, _, err := parse([]string{"version"}); err != nil {
		t.Errorf("another command: %v", err)
	}
}

// Catches: a typo that is passed over, a value that is taken for another, and one that cannot work.
func TestBadConfigurationIsRefused(t *testing.T) {
	for file, want := range map[string]string{
		"listn: x":                        `no setting "listn"`,
		"config: x":                       `no setting "config"`,
		"print-config: true":              `no setting "print-config"`,
		"help: true":                      `no setting "help"`,
		"max-in-flight: many":             "max-in-flight",
		"max-in-flight: [1, 2]":           "max-in-flight",
		"max-in-flight:":                  "must be a value",
		"data: {a: b}":                    "must be a value",
		"cors-origin: ['a,b']":            "list of plain values",
		"- data":                          "config.yaml",
		"data: a\ndata: b":                "already defined",
		"data: a\n---\nlistn: x":          "one document",
		"data: a\n---\n{":                 "one document",
		"log-level: loud":                 "log-level",
		"log-format: xml":                 "log-format",
		"max-connections: 0":              "max-connections",
		"max-in-flight: -1":               "max-in-flight",
		"rate-limit: -1":                  "rate-limit",
		"rate-limit: nan":                 "rate-limit",
		"rate-burst: -1":                  "rate-burst",
		"retain-closed: -1s":              "retain-closed",
		"min-free-disk: -1MiB":            "min-free-disk",
		"shutdown-timeout: -1s":           "shutdown-timeout",
		"listen: '8080'":                  "listen",
		"admin-listen: nowhere":           "admin-listen",
		"data: ''":                        "data",
		"tls-cert: a":                     "tls-key",
		"tls-key: a":                      "tls-cert",
		"tls-client-ca: a":                "tls-client-ca",
		"cors-origin: '*'":                "cors-origin",
		"cors-origin: [https://*]":        "cors-origin",
		"cors-origin: https://a/":         "cors-origin",
		"cors-origin: a.example":          "cors-origin",
		"keys: a\ninsecure-no-auth: true": "insecure-no-auth",
	} {
		if c, err := configured(t, file); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q; %+v", file, err, want, c)
		}
	}
	if _, _, err := parse([]string{"serve", "--config=/nowhere"}); err == nil {
		t.Error("a file that is not there")
	}
	for _, file := range []string{"", "# nothing\n", "cors-origin: []\n"} {
		if _, err := configured(t, file+"\n"); err != nil {
			t.Errorf("%q: %v", file, err)
		}
	}
}

// Catches: settings that --print-config leaves out, or prints in a form that --config does not read.
func TestPrintConfigIsAConfig(t *testing.T) {
	args := []string{"--data=a b", "--cors-origin=https://a.example,https://b.example", "--rate-limit=0.25", "--log-level=error", "--min-free-disk=5GiB", "--retain-closed=0"}
	var printed strings.Builder
	ctx, _, err := parse(append([]string{"serve"}, args...))
	check(t, err)
	check(t, printConfig(&printed, ctx.Model.Node))
	again, err := configured(t, printed.String())
	check(t, err)
	want, err := configured(t, "", args...)
	check(t, err)
	if fmt.Sprintf("%+v", again) != fmt.Sprintf("%+v", want) {
		t.Errorf("%+v\n%+v\n%s", again, want, printed.String())
	}
	out, _, code := runTool(t, append([]string{"serve", "--print-config"}, args...)...)
	if code != 0 || out != printed.String() {
		t.Errorf("exit status %d: %s", code, out)
	}
}

// optionsTable is the README's table of options.
func optionsTable(t *testing.T) string {
	ctx, _, err := parse([]string{"serve"})
	check(t, err)
	var b strings.Builder
	b.WriteString("| option | default | what it does |\n|---|---|---|\n")
	for _, flag := range serveFlags(ctx.Model.Node) {
		def := ""
		if flag.Default != "" {
			def = "`" + flag.Default + "`"
		}
		fmt.Fprintf(&b, "| `--%s` | %s | %s |\n", flag.Name, def, flag.Help)
	}
	return b.String()
}

// Catches: an option that the README does not have, or has otherwise. `make generate` writes the table.
func TestReadmeHasTheOptions(t *testing.T) {
	const path, begin, end = "../../README.md", "<!-- made by make generate: options -->\n", "<!-- end -->\n"
	text, err := os.ReadFile(path)
	check(t, err)
	head, rest, found := strings.Cut(string(text), begin)
	old, tail, ended := strings.Cut(rest, end)
	if !found || !ended {
		t.Fatal("the README has no place for the table")
	}
	table := optionsTable(t)
	if *updateReadme {
		check(t, os.WriteFile(path, []byte(head+begin+table+end+tail), 0o644))
		return
	}
	if old != table {
		t.Errorf("the README's table of options is old: run make generate\n%s", table)
	}
}
