package persistence

import (
	"errors"
	"testing"
)

// Catches: a guard that is off by one, that never looks again, or that forgets what it knew when it cannot look.
func TestSpace(t *testing.T) {
	free, failure := uint64(100), error(nil)
	s := &Space{least: 100, free: func(string) (uint64, error) { return free, failure }}
	look := func() bool {
		s.due.Store(0)
		return s.Low()
	}
	if look() {
		t.Error("low with exactly the least")
	}
	free = 99
	if s.Low() {
		t.Error("it asked again at once")
	}
	if !look() {
		t.Error("not low with less than the least")
	}
	free, failure = 1000, errors.New("gone")
	if !look() {
		t.Error("it took a failure for room")
	}
	if failure = nil; look() {
		t.Error("it does not go on when there is room again")
	}
	if _, err := NewSpace("/does/not/exist", 1); err == nil {
		t.Error("a directory that does not exist has space")
	}
	if s, err := NewSpace(t.TempDir(), 1<<62); err != nil || !s.Low() {
		t.Errorf("a real disk has 4 EiB: %v", err)
	}
}
