package wal

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"
)

// childDir names the environment variable that makes the test binary a second process: it opens the log in that
// directory and appends for ever, telling each acknowledged index, while another goroutine drops what is old.
const childDir = "WAL_TEST_CHILD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		os.Exit(child(dir))
	}
	os.Exit(m.Run())
}

const exitLocked = 3

func child(dir string) int {
	l, err := Open(dir, Options{SegmentSize: 5 * smallSegment}) // so there is room, and rolls
	if errors.Is(err, ErrLocked) {
		return exitLocked
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	due := make(chan struct{}, 1)
	go childDrops(dir, l, due)
	for {
		select {
		case due <- struct{}{}:
		default: // it is at work
		}
		index, err := l.Append(childPayload(l.LastIndex() + 1))
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		fmt.Println(index)
	}
}

// childKeeps is how many of the newest entries a child keeps.
const childKeeps = 20

func childDrops(dir string, l *Log, due <-chan struct{}) {
	for range due {
		last := l.LastIndex()
		if _, err := DropBefore(dir, last-min(last, childKeeps)+1); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

func childPayload(index uint64) []byte {
	rng := rand.New(rand.NewPCG(index, 0))
	return randomBytes(rng, 1+rng.IntN(2000))
}

func childCommand(ctx context.Context, t *testing.T, dir string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), childDir+"="+dir)
	cmd.Stderr = os.Stderr
	return cmd
}

func TestSecondOpenerInThisProcess(t *testing.T) {
	dir := t.TempDir()
	l := mustOpen(t, dir, Options{})
	_, err := Open(dir, Options{})
	wantError(t, err, ErrLocked, dir)
	mustAppend(t, l, []byte("the first is not disturbed"))
	mustClose(t, l)
	wantReplay(t, mustOpen(t, dir, Options{}), 1, [][]byte{[]byte("the first is not disturbed")})
}

func TestSecondOpenerInAnotherProcess(t *testing.T) {
	dir := t.TempDir()
	mustOpen(t, dir, Options{})
	err := childCommand(t.Context(), t, dir).Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != exitLocked {
		t.Fatalf("the second process: %v", err)
	}
}

// A killed process leaves the lock free and all that it acknowledged, but for whole files of what it could drop.
func TestKilledProcess(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	dir := t.TempDir()
	files := 0
	for range rounds(5, 100) {
		acked := killChild(t, dir, 1+rng.IntN(60), time.Duration(rng.IntN(2000))*time.Microsecond)
		l := mustOpen(t, dir, Options{})
		if last := l.LastIndex(); last < acked {
			t.Fatalf("entry %d was acknowledged, the last is %d", acked, last)
		}
		var want [][]byte
		for index := range l.LastIndex() {
			want = append(want, childPayload(index+1))
		}
		wantReplay(t, l, acked-min(acked, childKeeps)+1, want[acked-min(acked, childKeeps):])
		wantSuffix(t, dir, want)
		mustClose(t, l)
		files = len(names(t, dir, "0*"))
	}
	if files == 0 || len(names(t, dir, segmentName(1))) > 0 {
		t.Fatalf("%d files are left, among them the first", files)
	}
}

// killChild lets a child append n entries, waits a little longer, and kills it. It returns the last index that the
// child told.
func killChild(t *testing.T, dir string, n int, wait time.Duration) (acked uint64) {
	t.Helper()
	ctx, kill := context.WithCancel(t.Context())
	defer kill()
	cmd := childCommand(ctx, t, dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for i := 0; lines.Scan(); i++ {
		if acked, err = strconv.ParseUint(lines.Text(), 10, 64); err != nil {
			t.Fatal(err)
		}
		if i == n {
			time.AfterFunc(wait, kill)
		}
	}
	if err := cmd.Wait(); err == nil {
		t.Fatal("the child ended by itself")
	}
	return acked
}
