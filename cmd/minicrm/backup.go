package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"time"

	"minicrm/persistence"
	"minicrm/persistence/wal"
)

const (
	// snapshotTimeout is how long a server may take for a snapshot: it writes some ten million contacts in that time.
	snapshotTimeout = 10 * time.Minute
	// maxAnswer is how much of an answer is read.
	maxAnswer = 64 << 10
)

type backupCmd struct {
	Dir    string `arg:"" help:"The data directory, as serve has it in --data."`
	Target string `arg:"" help:"Where the copy goes: a directory that is empty or not there."`
	Server string `placeholder:"http://127.0.0.1:8080" help:"The server that runs on the data directory, if one does."`
	Key    string `placeholder:"mcrm_..." help:"A key with the role admin, where the server has keys; in the environment it is better hidden than here."`
}

// Help is the long part of --help.
func (*backupCmd) Help() string {
	return `Copies what a start needs: the newest good snapshot, and the journal from there on. While a server runs on the data
directory, --server must name it: it is asked for a fresh snapshot, so the copy has all that was acknowledged before the
backup began, and most of what came meanwhile. While none runs, the directory is locked until the copy is done. The copy
is fsynced and then checked as "minicrm wal verify" does it.

Restore is: point --data at TARGET (or at a copy of it, to keep the backup).

Exit status: 0 when the copy is there and good, otherwise 1, and then TARGET has nothing.`
}

// Run makes the copy and says what is in it.
func (c *backupCmd) Run() (err error) {
	unlock, err := persistence.Lock(c.Dir)
	switch {
	case errors.Is(err, wal.ErrLocked) && c.Server == "":
		return fmt.Errorf("%w: a server runs on it, so name it with --server http://HOST:PORT", err)
	case errors.Is(err, wal.ErrLocked):
		unlock = func() error { return nil }
	case err != nil:
		return err
	case c.Server != "":
		fmt.Fprintf(os.Stderr, "no server has %s locked, so none is asked\n", c.Dir)
		c.Server = ""
	}
	defer func() { err = errors.Join(err, unlock()) }()
	target, err := newTarget(c.Target)
	if err != nil {
		return err
	}
	if err := c.copyTo(target); err != nil {
		return errors.Join(err, target.discard())
	}
	fmt.Printf("the backup is in %s; to restore it, point --data at it\n", c.Target)
	return nil
}

func (c *backupCmd) copyTo(t *target) error {
	if c.Server != "" {
		if err := c.freshSnapshot(); err != nil {
			return err
		}
	}
	if err := t.copy(c.Dir); err != nil {
		return err
	}
	v, err := verifyDir(t.partial)
	if err != nil {
		return fmt.Errorf("verify the copy: %w", err)
	}
	if err := v.print(os.Stdout); err != nil {
		return err
	}
	if err := v.failure(); err != nil {
		return fmt.Errorf("verify the copy: %w", err)
	}
	return t.publish()
}

// freshSnapshot has the server write a snapshot, and makes sure that it is the server of this directory.
func (c *backupCmd) freshSnapshot() error {
	address, err := url.JoinPath(c.Server, "/v1/snapshots")
	if err != nil {
		return fmt.Errorf("--server: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), snapshotTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, http.NoBody)
	if err != nil {
		return fmt.Errorf("--server: %w", err)
	}
	if c.Key != "" {
		req.Header.Set("Authorization", "Bearer "+c.Key)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("ask the server for a snapshot: %w", err)
	}
	defer func() { _ = resp.Body.Close() }() // it was read
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("ask the server for a snapshot: %w", err)
	}
	var taken struct{ Index *uint64 }
	if resp.StatusCode != http.StatusCreated || json.Unmarshal(answer, &taken) != nil || taken.Index == nil {
		return fmt.Errorf("POST %s answered %s: %s", address, resp.Status, oneLine(string(answer)))
	}
	return c.hasSnapshot(*taken.Index)
}

// hasSnapshot looks for a snapshot that was just taken. Newer ones may have taken its place.
func (c *backupCmd) hasSnapshot(index uint64) error {
	files, err := persistence.Snapshots(c.Dir)
	if err != nil {
		return err
	}
	newer := 0
	for _, f := range files {
		if f.Index == index {
			return nil
		}
		if f.Index > index {
			newer++
		}
	}
	if newer >= persistence.KeepSnapshots {
		return nil
	}
	return fmt.Errorf("the server at %s took a snapshot of record %d, and it is not in %s: another server's data?",
		c.Server, index, c.Dir)
}
