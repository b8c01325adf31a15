package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Catches: a place in the command line for which the wrong things are offered.
func TestCompletion(t *testing.T) {
	parser, _, err := newParser()
	check(t, err)
	for _, c := range []struct{ words, want, not string }{
		{"", "serve wal backup completion", "candidates --listen"},
		{"w", "wal", "serve"},
		{"wal ", "verify dump repair", "serve"},
		{"serve --l", "--listen --log-level --log-format", "--data --json"},
		{"serve -", "--listen --data --help", "--json"},
		{"serve --log-format ", "text json", "--listen"},
		{"serve --log-format=", "--log-format=text --log-format=json", "text --listen"},
		{"serve --log-format =", "text json", "--listen"},
		{"serve --log-format = j", "json", "text"},
		{"serve --data d --log-format j", "json", "text"},
		{"serve --data=d --print-config --l", "--listen", "--data"},
		{"serve --data ", "", "text"},
		{"key new --role ", "gateway viewer admin", ""},
		{"completion ", "bash zsh fish", ""},
		{"completion f", "fish", "bash"},
		{"completion bash ", "", "bash"},
		{"completion -- ", "bash", "--help"},
		{"serve nothing=", "", "text"},
	} {
		got := map[string]bool{}
		for _, found := range complete(parser.Model.Node, strings.Split(c.words, " ")) {
			got[found.text] = true
		}
		for _, want := range strings.Fields(c.want) {
			if !got[want] {
				t.Errorf("%q: no %s in %v", c.words, want, got)
			}
		}
		for _, not := range strings.Fields(c.not) {
			if got[not] {
				t.Errorf("%q: %s in %v", c.words, not, got)
			}
		}
		if c.want == "" && len(got) > 0 {
			t.Errorf("%q: %v, and the shell shall offer files", c.words, got)
		}
	}
}

// Catches: a script that its shell cannot run, or that hands the words over wrongly.
func TestCompletionInShells(t *testing.T) {
	// each prints what the shell itself would offer for "minicrm serve --log-format "
	scripts := map[string]string{
		"bash": `source <(minicrm completion bash)
COMP_WORDS=(minicrm serve --log-format ""); COMP_CWORD=3
_minicrm; printf '%s\n' "${COMPREPLY[@]}"`,
		"zsh": `compdef() { : }; _files() { echo files }
_describe() { print -l -- "${(@P)2}" }
source <(minicrm completion zsh)
words=(minicrm serve --log-format ""); CURRENT=4
_minicrm`,
		"fish": `minicrm completion fish | source
complete -C 'minicrm serve --log-format '`,
	}
	for shell, script := range scripts {
		t.Run(shell, func(t *testing.T) {
			if _, err := exec.LookPath(shell); err != nil {
				t.Skipf("there is no %s here", shell)
			}
			cmd := exec.CommandContext(t.Context(), shell, "-c", script)
			cmd.Env = append(cmd.Environ(), "HOME="+t.TempDir(), "PATH="+filepath.Dir(program)+string(os.PathListSeparator)+os.Getenv("PATH"))
			out, err := cmd.CombinedOutput()
			check(t, err)
			if got := strings.Fields(strings.ReplaceAll(string(out), ":", " ")); strings.Join(got, " ") != "json text" {
				t.Errorf("offered: %q", out)
			}
		})
	}
}
