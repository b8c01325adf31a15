package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// errNoPostgres says that PostgreSQL is not installed.
var errNoPostgres = errors.New("postgres is not installed (Debian's package is called postgresql)")

// databaseTuning is what the database can be told beside its settings below.
type databaseTuning struct {
	Pool   int      `default:"32" help:"PostgreSQL: connections of the pool."`
	Choose string   `default:"choose_skipping" help:"PostgreSQL: how an operator is chosen and locked; a function of postgres.sql."`
	Set    []string `help:"PostgreSQL: further settings, as name=value."`
}

// settings are what the server runs with: durable like minicrm serve, and with room, so that neither checkpoints nor a
// full WAL buffer come in between.
func (d databaseTuning) settings(sockets string) []string {
	return append([]string{
		"listen_addresses=", "unix_socket_directories=" + sockets, "max_connections=" + strconv.Itoa(d.Pool+20),
		"fsync=on", "synchronous_commit=on", "full_page_writes=on",
		"shared_buffers=1GB", "wal_buffers=64MB", "min_wal_size=1GB", "max_wal_size=8GB", "checkpoint_timeout=30min",
		"jit=off", "plan_cache_mode=force_generic_plan", "max_wal_senders=0", "wal_level=minimal", "track_activities=off", "autovacuum=on",
	}, d.Set...) // the last of a name counts
}

// cluster is a PostgreSQL data directory of our own.
type cluster struct {
	bin     string // directory of the programs
	dir     string // data
	sockets string
	tuning  databaseTuning      // of the next start
	owner   *syscall.Credential // PostgreSQL refuses to run as root; nil = as we do
	cmd     *exec.Cmd
	output  bytes.Buffer  // read only after exited
	exited  chan struct{} // closed when cmd ended, with err
	err     error
}

// newCluster makes a data directory below dir.
func newCluster(ctx context.Context, dir string) (*cluster, error) {
	bin, err := postgresPrograms()
	if err != nil {
		return nil, err
	}
	c := &cluster{bin: bin, dir: filepath.Join(dir, "postgres")}
	if c.sockets, err = os.MkdirTemp("", "bench"); err != nil { // a socket's path must be short
		return nil, err
	}
	if err := c.initialize(ctx); err != nil {
		return nil, errors.Join(err, c.remove())
	}
	return c, nil
}

func (c *cluster) initialize(ctx context.Context) error {
	if err := os.Mkdir(c.dir, 0o700); err != nil {
		return err
	}
	if err := c.becomeSomebody(); err != nil {
		return err
	}
	initdb := c.command(ctx, "initdb", "-D", c.dir, "-U", "bench", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-instructions")
	if out, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, out)
	}
	return nil
}

// postgresPrograms finds initdb and postgres, also where Debian hides them.
func postgresPrograms() (dir string, err error) {
	places, _ := filepath.Glob("/usr/lib/postgresql/*/bin/postgres") // the pattern is right
	if found, err := exec.LookPath("postgres"); err == nil {
		places = append(places, found)
	}
	for _, place := range places {
		if program, err := filepath.EvalSymlinks(place); err == nil {
			dir = filepath.Dir(program)
		}
	}
	if dir == "" {
		return "", errNoPostgres
	}
	return dir, nil
}

// becomeSomebody gives root's files to another user, who then runs the programs.
func (c *cluster) becomeSomebody() error {
	if os.Geteuid() != 0 {
		return nil
	}
	who, err := user.Lookup("postgres")
	if err != nil {
		if who, err = user.Lookup("nobody"); err != nil {
			return err
		}
	}
	uid, err1 := strconv.Atoi(who.Uid)
	gid, err2 := strconv.Atoi(who.Gid)
	c.owner = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	if err := errors.Join(err1, err2, os.Chown(c.dir, uid, gid), os.Chown(c.sockets, uid, gid), os.Chmod(filepath.Dir(c.dir), 0o755)); err != nil {
		return err
	}
	for dir := filepath.Dir(c.dir); dir != "/"; dir = filepath.Dir(dir) {
		if info, err := os.Stat(dir); err == nil && info.Mode().Perm()&0o001 == 0 {
			return fmt.Errorf("PostgreSQL does not run as root, and the user %s cannot enter %s: put the data elsewhere", who.Username, dir)
		}
	}
	return nil
}

func (c *cluster) command(ctx context.Context, program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(context.WithoutCancel(ctx), filepath.Join(c.bin, program), args...)
	cmd.Dir, cmd.Env = c.dir, []string{"LC_ALL=C", "PATH=" + c.bin}
	// A driver that is killed leaves nothing behind; SIGQUIT is what PostgreSQL takes its children along on.
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: c.owner, Pdeathsig: syscall.SIGQUIT}
	return cmd
}

// start runs the server and returns when it takes connections.
func (c *cluster) start(ctx context.Context) error {
	args := []string{"-D", c.dir}
	for _, s := range c.tuning.settings(c.sockets) {
		args = append(args, "-c", s)
	}
	c.output.Reset()
	c.cmd = c.command(ctx, "postgres", args...)
	c.cmd.Stdout, c.cmd.Stderr = &c.output, &c.output
	if err := c.cmd.Start(); err != nil {
		return err
	}
	c.exited = make(chan struct{})
	go func() {
		c.err = c.cmd.Wait()
		close(c.exited)
	}()
	return c.await(ctx)
}

// await returns when the server takes connections.
func (c *cluster) await(ctx context.Context) error {
	timeout := time.After(startTimeout)
	for {
		conn, err := pgx.Connect(ctx, c.database())
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-c.exited:
			return fmt.Errorf("postgres ended before it was ready: %w: %s", c.err, c.output.String())
		case <-ctx.Done():
			return errors.Join(context.Cause(ctx), c.stop())
		case <-timeout:
			return errors.Join(fmt.Errorf("postgres is not ready: %w", err), c.stop())
		}
	}
}

func (c *cluster) database() string { return "host=" + c.sockets + " user=bench dbname=postgres" }

// stop is a fast shutdown: clients are cut off, a checkpoint is written.
func (c *cluster) stop() error {
	_ = c.cmd.Process.Signal(syscall.SIGINT) // it may have ended
	<-c.exited
	if c.err != nil {
		return fmt.Errorf("postgres: %w: %s", c.err, c.output.String())
	}
	return nil
}

func (c *cluster) remove() error { return errors.Join(os.RemoveAll(c.dir), os.RemoveAll(c.sockets)) }

// version is what the server calls itself.
func (c *cluster) version(ctx context.Context) string {
	out, err := c.command(ctx, "postgres", "--version").Output()
	if err != nil {
		return "PostgreSQL of unknown version"
	}
	return strings.TrimSpace(string(out))
}
