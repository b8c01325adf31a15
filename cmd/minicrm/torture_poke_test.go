package main

import (
	"fmt"
	"testing"
)

// poke sends single commands, each of which may free a seat or open a way to one, and looks after each whether somebody
// waits who need not: under load, the next command that does it right would hide one that does not. Each time only a
// seat or two become free, so that there is somebody waiting for all of it.
func (tt *torture) poke(t *testing.T, c *tormentor) {
	t.Helper()
	do := func(what string, err error) {
		t.Helper()
		check(t, err)
		barrier(c.s, tortureSources)
		if err := readWorld(c.s, "?status=open", "?status=assigned").atRest(); err != nil {
			t.Fatalf("after %s: %v", what, err)
		}
	}
	for range 4 {
		op, source := 1+c.rng.Int64N(12), c.source()
		do("a close", c.close())
		do("an assignment", c.assign())
		for other := range int64(tortureSources) {
			check(t, c.weigh(other+1, op, notLinked))
		}
		check(t, c.serve(source, "manual"))
		check(t, c.room(op, 1))
		do("activation of somebody who serves nobody", c.activate(op, true))
		do("a weight in a manual source", c.weigh(source, op, 1))
		do("a backlog that becomes auto", c.serve(source, "auto"))
		do("a higher max_load", c.room(op, 2))
		check(t, c.weigh(source, op, 0))
		check(t, c.room(op, 1))
		do("a weight", c.weigh(source, op, 3))
		check(t, c.weigh(source, op, notLinked))
		check(t, c.room(op, 1))
		do("a link", c.weigh(source, op, 2))
		check(t, c.activate(op, false))
		check(t, c.room(op, 2))
		do("activation", c.activate(op, true))
		do("a lower max_load", c.seat(op, 3))
	}
}

// room gives an operator so many free seats.
func (c *tormentor) room(op int64, n int) error {
	var o operatorView
	if code, err := c.s.ask("GET", fmt.Sprintf("/v1/operators/%d", op), "", &o); err != nil || code != "" {
		return unexpected("read of an operator", code, err)
	}
	return c.seat(op, o.Load+n)
}
