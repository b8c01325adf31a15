package main

import (
	"embed"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// completionScripts have a shell ask the binary what can stand at the cursor, so that they fit every version of it.
//
//go:embed completion
var completionScripts embed.FS

type completionCmd struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

// Help is the long part of --help.
func (*completionCmd) Help() string {
	return `Prints a script for the shell; it asks this binary at each TAB. For all users of a machine:

    minicrm completion bash > /etc/bash_completion.d/minicrm
    minicrm completion zsh  > /usr/local/share/zsh/site-functions/_minicrm
    minicrm completion fish > /etc/fish/completions/minicrm.fish

For this shell alone: source <(minicrm completion bash)`
}

// Run prints the script.
func (c *completionCmd) Run() error {
	script, err := completionScripts.ReadFile("completion/minicrm." + c.Shell)
	if err != nil {
		return err
	}
	_, err = os.Stdout.Write(script)
	return err
}

// candidatesCmd answers those scripts.
type candidatesCmd struct {
	Words []string `arg:"" optional:"" help:"The words of the command line behind minicrm, the last one being written."`
}

// Run prints what can stand in place of the last word, each with its help behind a tab; nothing, where the shell shall
// offer the names of files.
func (c *candidatesCmd) Run(app *kong.Context) error {
	for _, found := range complete(app.Model.Node, c.Words) {
		if _, err := fmt.Fprintf(os.Stdout, "%s\t%s\n", found.text, found.help); err != nil {
			return err
		}
	}
	return nil
}

// candidate is one way to go on.
type candidate struct{ text, help string }

// complete lists what can stand in place of the last word.
func complete(root *kong.Node, words []string) (found []candidate) {
	p := place{node: root}
	last := ""
	if len(words) > 0 {
		last = words[len(words)-1]
		for _, w := range words[:len(words)-1] {
			p.pass(w)
		}
	}
	if last == "=" { // bash takes --flag=value apart
		last = ""
	}
	for _, c := range p.candidates(last) {
		if strings.HasPrefix(c.text, last) {
			found = append(found, c)
		}
	}
	return found
}

// place is where in the command line the next word stands.
type place struct {
	node *kong.Node
	flag *kong.Flag // whose value comes next; nil = none
	args int        // positional arguments that were given
	rest bool       // -- was given: no more flags
}

// pass takes note of a word.
func (p *place) pass(word string) {
	if p.flag != nil {
		if word != "=" {
			p.flag = nil
		}
		return
	}
	switch {
	case p.rest:
		p.args++
	case word == "--":
		p.rest = true
	case strings.HasPrefix(word, "-"):
		if flag := p.find(word); flag != nil && !flag.IsBool() {
			p.flag = flag
		}
	default:
		for _, child := range p.node.Children {
			if child.Name == word {
				p.node = child
				return
			}
		}
		p.args++
	}
}

// find is the flag of that name; nil for --flag=value, too, since its value does not come next.
func (p *place) find(word string) *kong.Flag {
	for _, flag := range p.flags() {
		if word == "--"+flag.Name || flag.Short != 0 && word == "-"+string(flag.Short) {
			return flag
		}
	}
	return nil
}

func (p *place) flags() []*kong.Flag {
	return slices.Concat(p.node.AllFlags(true)...)
}

// candidates lists what can stand here; those that do not fit what is there of the word are left out later.
func (p *place) candidates(word string) []candidate {
	if p.flag != nil {
		return values("", p.flag.Value)
	}
	if strings.HasPrefix(word, "-") && !p.rest {
		if name, _, given := strings.Cut(word, "="); given {
			if flag := p.find(name); flag != nil {
				return values(name+"=", flag.Value)
			}
			return nil
		}
		return p.flagNames()
	}
	if len(p.node.Children) > 0 {
		return commandNames(p.node)
	}
	if p.args < len(p.node.Positional) {
		return values("", p.node.Positional[p.args])
	}
	return nil
}

func (p *place) flagNames() (found []candidate) {
	for _, flag := range p.flags() {
		found = append(found, candidate{"--" + flag.Name, oneLine(flag.Help)})
	}
	return found
}

func commandNames(n *kong.Node) (found []candidate) {
	for _, child := range n.Children {
		if !child.Hidden {
			found = append(found, candidate{child.Name, oneLine(child.Help)})
		}
	}
	return found
}

// values are those that a flag or an argument can have, where they are known.
func values(before string, v *kong.Value) (found []candidate) {
	if v.Enum == "" {
		return nil
	}
	for _, value := range slices.Sorted(maps.Keys(v.EnumMap())) {
		found = append(found, candidate{before + value, ""})
	}
	return found
}
