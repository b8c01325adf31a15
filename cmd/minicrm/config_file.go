package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"go.yaml.in/yaml/v3"
)

// configFlag is the path of a configuration file.
type configFlag string

// BeforeResolve has kong ask the file. It is kong.ConfigFlag, but for serve alone: the variable MINICRM_CONFIG may be set
// for all commands.
func (configFlag) BeforeResolve(k *kong.Kong, ctx *kong.Context, trace *kong.Path) error {
	if ctx.Command() != "serve" {
		return nil
	}
	resolver, err := k.LoadConfig(string(ctx.FlagValue(trace.Flag).(configFlag)))
	if err != nil {
		return err
	}
	ctx.AddResolver(resolver)
	return nil
}

// configFile is the YAML file of --config, as kong asks it: one more place where a flag's value can come from.
type configFile struct {
	path   string
	values map[string]yaml.Node
}

// readConfig is kong's loader of configuration files.
func readConfig(r io.Reader) (kong.Resolver, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	f := &configFile{path: "configuration file"}
	if named, ok := r.(interface{ Name() string }); ok {
		f.path = named.Name()
	}
	d := yaml.NewDecoder(bytes.NewReader(text))
	if err := d.Decode(&f.values); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: %w", f.path, err)
	}
	if err := d.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) { // settings in it would be passed over
		return nil, fmt.Errorf("%s: must be one document: %w", f.path, cmp.Or(err, errors.New("there is another")))
	}
	return f, nil
}

// Validate implements kong.Resolver: every key must be a flag of serve.
func (f *configFile) Validate(app *kong.Application) error {
	known := map[string]bool{}
	for _, flag := range serveFlags(app.Node) {
		known[flag.Name] = true
	}
	for _, key := range slices.Sorted(maps.Keys(f.values)) {
		if !known[key] {
			return fmt.Errorf("%s: there is no setting %q", f.path, key)
		}
	}
	return nil
}

// Resolve implements kong.Resolver. Kong asks only about flags that are not on the command line; the environment comes
// before the file, too.
func (f *configFile) Resolve(_ *kong.Context, parent *kong.Path, flag *kong.Flag) (any, error) {
	node, given := f.values[flag.Name]
	if !given || parent.Command == nil { // the application's own flags are no settings
		return nil, nil
	}
	for _, name := range flag.Tag.Envs {
		if _, set := os.LookupEnv(name); set {
			return nil, nil
		}
	}
	text, err := flagText(&node)
	if err != nil {
		return nil, fmt.Errorf("%s: %s: %w", f.path, flag.Name, err)
	}
	return text, nil
}

// flagText is a value as it would stand on the command line, so that it means the same in both places.
func flagText(node *yaml.Node) (string, error) {
	switch {
	case node.Kind == yaml.ScalarNode && node.Tag != "!!null":
		return node.Value, nil
	case node.Kind == yaml.SequenceNode:
		items := make([]string, len(node.Content))
		for i, item := range node.Content {
			if item.Kind != yaml.ScalarNode || strings.Contains(item.Value, ",") {
				return "", errors.New("must be a list of plain values")
			}
			items[i] = item.Value
		}
		return strings.Join(items, ","), nil
	}
	return "", errors.New("must be a value or a list of values")
}

// printConfig writes the configuration in effect, as a file for --config.
func printConfig(w io.Writer, app *kong.Node) error {
	file := &yaml.Node{Kind: yaml.MappingNode}
	for _, flag := range serveFlags(app) {
		key := &yaml.Node{Kind: yaml.ScalarNode, Value: flag.Name, HeadComment: flag.Help}
		value := new(yaml.Node)
		if err := value.Encode(plain(flag.Target.Interface())); err != nil {
			return fmt.Errorf("%s: %w", flag.Name, err)
		}
		file.Content = append(file.Content, key, value)
	}
	e := yaml.NewEncoder(w)
	if err := e.Encode(file); err != nil {
		return fmt.Errorf("print the configuration: %w", err)
	}
	return e.Close()
}

// plain makes text of values that have a text form of their own.
func plain(v any) any {
	switch v := v.(type) {
	case slog.Level:
		return strings.ToLower(v.String())
	case fmt.Stringer:
		return v.String()
	}
	return v
}
