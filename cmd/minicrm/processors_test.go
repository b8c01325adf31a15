package main

import (
	"runtime"
	"testing"
)

// Catches: a scheduler whose processors all wait for the disk, and a GOMAXPROCS that is not obeyed.
func TestSpareProcessor(t *testing.T) {
	before := runtime.GOMAXPROCS(0)
	defer runtime.GOMAXPROCS(before)
	for _, c := range []struct {
		set  string
		want int
	}{{"2", before}, {"", before + 1}} {
		t.Setenv("GOMAXPROCS", c.set)
		spareProcessor()
		if got := runtime.GOMAXPROCS(0); got != c.want {
			t.Errorf("GOMAXPROCS=%q: %d processors, want %d", c.set, got, c.want)
		}
	}
}
