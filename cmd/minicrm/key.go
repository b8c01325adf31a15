package main

import (
	"fmt"
	"os"

	"minicrm/domain"
	"minicrm/transport/httpapi"
)

// keyCmd looks after the keys of those who may call.
type keyCmd struct {
	New keyNewCmd `cmd:"" help:"Make a key: print it once, and the lines for the keys file."`
}

type keyNewCmd struct {
	Name    string  `required:"" env:"-" help:"Whose key it is; logs and histories of contacts show it."`
	Role    string  `required:"" env:"-" enum:"gateway,viewer,admin" help:"gateway (posts, reads and closes contacts), viewer (reads everything) or admin."`
	Source  []int64 `env:"-" help:"Ids of the sources that a gateway's key is for; without any, it is for all."`
	Expires string  `env:"-" help:"When the key ends, like 2027-01-31 or 2027-01-31T12:00:00Z; without it, never."`
}

// Help is the long part of --help.
func (*keyNewCmd) Help() string {
	return `The lines for the keys file go to standard output, the key itself to standard error, so

    minicrm key new --name shop-chat --role gateway --source 1 >> keys.yaml

shows the key and adds it to the file. The file has only its SHA-256, so the key cannot be shown again.`
}

// Run prints the key and its entry.
func (c *keyNewCmd) Run() error {
	var sources []domain.SourceID
	for _, id := range c.Source {
		sources = append(sources, domain.SourceID(id))
	}
	key := httpapi.NewKey()
	entry, err := httpapi.KeyEntry(key, c.Name, c.Role, sources, c.Expires)
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "%s\n", key)
	fmt.Print(entry)
	return nil
}

// readKeys reads a keys file.
func readKeys(path string) (*httpapi.Keys, error) {
	text, err := readSmall(path, httpapi.MaxKeysFile)
	if err != nil {
		return nil, fmt.Errorf("keys: %w", err)
	}
	keys, err := httpapi.ParseKeys(text)
	if err != nil {
		return nil, fmt.Errorf("keys: %s: %w", path, err)
	}
	return keys, nil
}
