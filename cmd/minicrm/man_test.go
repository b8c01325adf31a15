package main

import (
	"os/exec"
	"strings"
	"testing"
)

// Catches: a command, an argument or a flag that the manual page does not have, and a hidden one that it has.
func TestManPageHasAllCommands(t *testing.T) {
	parser, _, err := newParser()
	check(t, err)
	page := manPage(parser.Model, "v1")
	wants := func(what string) {
		if !strings.Contains(page, what) {
			t.Errorf("the page lacks %s", what)
		}
	}
	for _, leaf := range parser.Model.Leaves(true) {
		wants(`.SS "` + roff(leaf.FullPath()) + `"`)
		for _, arg := range leaf.Positional {
			wants(`\fI` + roff(arg.Summary()) + `\fR`)
		}
		for _, flag := range leaf.Flags {
			wants(`\fB` + roff("--"+flag.Name) + `\fR`)
			wants(roff(flag.Help))
		}
	}
	if strings.Contains(page, "candidates") {
		t.Error("the page has a hidden command")
	}
}

// Catches: text that roff takes for a request, and a page that a reader sees with pieces missing.
func TestManPageIsGoodRoff(t *testing.T) {
	if _, err := exec.LookPath("man"); err != nil {
		t.Skip("there is no man here")
	}
	page, err := exec.CommandContext(t.Context(), program, "man").Output()
	check(t, err)
	cmd := exec.CommandContext(t.Context(), "man", "--warnings", "-l", "-")
	cmd.Env = append(cmd.Environ(), "LC_ALL=C.UTF-8", "MANWIDTH=200", "PAGER=cat", "MANPAGER=cat")
	cmd.Stdin = strings.NewReader(string(page))
	var complaints strings.Builder
	cmd.Stderr = &complaints
	text, err := cmd.Output()
	check(t, err)
	if complaints.String() != "" {
		t.Errorf("man says: %s", &complaints)
	}
	for _, want := range []string{
		"--listen=127.0.0.1:8080", "Environment: MINICRM_LISTEN.", "minicrm wal verify <dir>", "minicrm backup <dir> <target>", "SIGHUP",
		"minicrm wal dump ./data --json | jq 'select(.event",
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("a reader does not see %q in\n%s", want, text)
		}
	}
	if got := roff(".SH \\x\n'a-b"); got != "\\&.SH \\ex\n\\&'a\\-b" {
		t.Errorf("escaped: %q", got)
	}
}
