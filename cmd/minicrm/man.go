package main

import (
	"io"
	"os"
	"runtime/debug"
	"strings"

	"github.com/alecthomas/kong"
)

type manCmd struct{}

// Help is the long part of --help.
func (manCmd) Help() string {
	return `Prints the manual page, made from the same source as --help. To read it: minicrm man | man -l -

To install it: minicrm man > /usr/local/share/man/man1/minicrm.1`
}

// Run prints the page. It names the version alone: the page is the same for all platforms.
func (manCmd) Run(app *kong.Context) error {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return errNoBuildInfo
	}
	_, err := io.WriteString(os.Stdout, manPage(app.Model, info.Main.Version))
	return err
}

// manPage is the manual page of section 1, in the man macros that groff and mandoc know.
func manPage(app *kong.Application, version string) string {
	m := &page{}
	m.macro("TH", strings.ToUpper(app.Name), "1", "", app.Name+" "+version, "User Commands")
	m.macro("SH", "NAME")
	m.line(app.Name + ` \- ` + roff("dispatcher of customer contacts"))
	m.macro("SH", "SYNOPSIS")
	for i, leaf := range app.Leaves(true) {
		if i > 0 {
			m.macro("br")
		}
		m.line(`\fB` + roff(leaf.FullPath()) + `\fR` + roff(strings.TrimPrefix(leaf.Summary(), leaf.Path())))
	}
	m.macro("SH", "DESCRIPTION")
	m.text(app.Help)
	m.macro("SH", "COMMANDS")
	for _, leaf := range app.Leaves(true) {
		m.command(leaf)
	}
	m.closing()
	return m.b.String()
}

// page is a manual page as it is written.
type page struct{ b strings.Builder }

func (m *page) line(s string) { m.b.WriteString(s + "\n") }

func (m *page) macro(name string, args ...string) {
	m.b.WriteString("." + name)
	for _, a := range args {
		m.b.WriteString(` "` + roff(strings.ReplaceAll(a, `"`, "'")) + `"`)
	}
	m.b.WriteString("\n")
}

// text writes paragraphs; what is indented stays as it is.
func (m *page) text(s string) {
	for i, paragraph := range strings.Split(strings.TrimSpace(s), "\n\n") {
		if i > 0 {
			m.macro("PP")
		}
		if strings.HasPrefix(paragraph, "    ") {
			m.macro("nf")
			m.line(roff(paragraph))
			m.macro("fi")
			continue
		}
		m.line(roff(paragraph))
	}
}

func (m *page) command(n *kong.Node) {
	m.macro("SS", n.FullPath())
	m.text(n.Help + "\n\n" + n.Detail)
	for _, arg := range n.Positional {
		m.macro("TP")
		m.line(`\fI` + roff(arg.Summary()) + `\fR`)
		m.line(roff(arg.Help))
	}
	for _, flag := range n.Flags {
		if !flag.Hidden {
			m.flag(flag)
		}
	}
}

func (m *page) flag(f *kong.Flag) {
	m.macro("TP")
	head := `\fB` + roff("--"+f.Name) + `\fR`
	if !f.IsBool() {
		head += `=\fI` + roff(strings.Trim(f.FormatPlaceHolder(), `"`)) + `\fR`
	}
	m.line(head)
	m.line(roff(f.Help))
	var more []string
	if f.HasDefault && f.Default != "" {
		more = append(more, "Default: "+f.Default+".")
	}
	if len(f.Envs) > 0 {
		more = append(more, "Environment: "+strings.Join(f.Envs, ", ")+".")
	}
	if f.Required {
		more = append(more, "Required.")
	}
	if len(more) > 0 {
		m.line(roff(strings.Join(more, " ")))
	}
}

// closing is what no flag tells.
func (m *page) closing() {
	m.macro("SH", "CONFIGURATION FILE")
	m.text("serve --config=FILE reads settings from a YAML file, by the names of the flags. A flag comes first, then the " +
		"environment variable, then the file. serve --print-config prints what is in effect, as such a file.")
	m.macro("SH", "SIGNALS")
	for _, s := range [][2]string{
		{"SIGTERM, SIGINT", "Take no more requests, answer those in flight, close the journal and exit with status 0."},
		{"SIGHUP", "Read keys, certificates and the log level again."},
		{"SIGUSR1", "Take a snapshot."},
	} {
		m.macro("TP")
		m.line(`\fB` + s[0] + `\fR`)
		m.line(roff(s[1]))
	}
	m.macro("SH", "EXIT STATUS")
	m.text("0 when all went well, 80 for a command line or a configuration that cannot be, otherwise 1.")
}

// roff is text as roff reads it: nothing in it is a request, and a hyphen is the character of the command line.
func roff(s string) string {
	s = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(s)
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
			lines[i] = `\&` + line
		}
	}
	return strings.Join(lines, "\n")
}
