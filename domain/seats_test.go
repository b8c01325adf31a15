package domain

import (
	"testing"
)

// racingHead is the head of a source that publishes just after it was read: the moment in which a wake-up gets lost.
type racingHead struct {
	plainHead
	reads int
	after func() // the source publishes, and then looks
}

func (h *racingHead) Load() int64 {
	h.reads++
	v := h.plainHead.Load()
	if h.after != nil {
		h.after()
	}
	return v
}

// seated is the seating of an operator.
func seated(active bool, maxLoad, load int) *Seating {
	return NewSeating(Operator{ID: 1, Active: active, MaxLoad: maxLoad, Load: load}, new(plainHead))
}

// serve links an operator to a source that publishes there.
func serve(s *Seating, source SourceID, all Head) {
	if err := s.Serve(source, Heads{All: all, Own: new(plainHead)}, true); err != nil {
		panic(err)
	}
}

// published is a head that shows this rank.
func published(rank int64) Head { return &plainHead{rank: rank} }

// Catches a lost wake-up: a seat that is free, a head that came too late to be granted it, and a source that looks and
// does not see the seat. Whatever makes a seat free must show that before it reads the heads.
func TestSeatingShowsBeforeItReadsHeads(t *testing.T) {
	for name, free := range map[string]func(*Seating){
		"release":                          func(s *Seating) { s.Free() },
		"activation":                       func(s *Seating) { s.Load = 0; s.Active = false; s.show(); s.Change(OperatorPatch{Active: ptr(true)}) },
		"raised max_load":                  func(s *Seating) { s.Change(OperatorPatch{MaxLoad: ptr(2)}) },
		"grant that is not needed":         func(s *Seating) { s.UseGrant(2, 7) },
		"grant to who is no longer linked": func(s *Seating) { s.UseGrant(9, 7) },
	} {
		s := seated(true, 1, 1)
		head := &racingHead{}
		serve(s, 1, head)
		serve(s, 2, published(0))
		if name == "grant that is not needed" {
			serve(s, 3, published(3)) // a better contact waits there
		}
		head.after = func() {
			if s.Open() && !s.LooksOpen() {
				t.Errorf("%s: a seat is free and not shown while the heads are read", name)
			}
		}
		free(s)
		for granted := true; granted; {
			_, granted = s.Grant()
		}
		if head.reads == 0 {
			t.Errorf("%s: the heads were not read", name)
		}
	}
}

// Catches an operator that still looks open when it is not: desks would try it again and again.
func TestSeatingLooks(t *testing.T) {
	s := seated(true, 2, 0)
	for _, step := range []struct {
		name string
		do   func()
		want bool
	}{
		{"new", func() {}, true},
		{"one taken", func() { s.Take(1) }, true},
		{"full", func() { s.Take(2) }, false},
		{"forced", func() { _, _ = s.Place(true) }, false},
		{"one freed, still full", func() { s.Free() }, false},
		{"another freed", func() { s.Free() }, true},
		{"lowered", func() { s.Change(OperatorPatch{MaxLoad: ptr(1)}) }, false},
		{"raised", func() { s.Change(OperatorPatch{MaxLoad: ptr(3)}) }, true},
		{"deactivated", func() { s.Change(OperatorPatch{Active: ptr(false)}) }, false},
		{"renamed", func() { s.Change(OperatorPatch{Name: ptr("x")}) }, false},
		{"activated", func() { s.Change(OperatorPatch{Active: ptr(true)}) }, true},
		{"no seats", func() { s.Change(OperatorPatch{MaxLoad: ptr(0)}) }, false},
	} {
		if step.do(); s.LooksOpen() != step.want || s.Open() != step.want {
			t.Errorf("%s: looks open: %v, is open: %v, want %v", step.name, s.LooksOpen(), s.Open(), step.want)
		}
	}
}

// Catches a take that jumps the queue, that blocks on its own head, or that takes what is not there.
func TestSeatingTake(t *testing.T) {
	for _, c := range []struct {
		name  string
		s     *Seating
		heads []int64
		rank  Rank
		want  bool
	}{
		{"free", seated(true, 2, 1), nil, 9, true},
		{"full", seated(true, 2, 2), nil, 9, false},
		{"past full", seated(true, 2, 3), nil, 9, false},
		{"inactive", seated(false, 2, 0), nil, 9, false},
		{"no seats", seated(true, 0, 0), nil, 9, false},
		{"nobody waits", seated(true, 1, 0), []int64{0, 0}, 9, true},
		{"its own head", seated(true, 1, 0), []int64{0, 9}, 9, true},
		{"newer ones wait", seated(true, 1, 0), []int64{10, 11}, 9, true},
		{"an older one waits", seated(true, 1, 0), []int64{10, 8}, 9, false},
	} {
		for i, head := range c.heads {
			serve(c.s, SourceID(i+1), published(head))
		}
		load := c.s.Load
		got := c.s.Take(c.rank)
		if got != c.want || got && c.s.Load != load+1 || !got && c.s.Load != load {
			t.Errorf("%s: got %v with load %d after %d, want %v", c.name, got, c.s.Load, load, c.want)
		}
	}
}

// Catches a seat granted to anybody but the source whose contact waited longest, or granted though none is free.
func TestSeatingGrant(t *testing.T) {
	for _, c := range []struct {
		name  string
		s     *Seating
		heads []int64
		want  SourceID
	}{
		{"nobody waits", seated(true, 1, 0), []int64{0, 0, 0}, 0},
		{"serves nobody", seated(true, 1, 0), nil, 0},
		{"the oldest", seated(true, 1, 0), []int64{7, 0, 5, 6}, 3},
		{"full", seated(true, 1, 1), []int64{7}, 0},
		{"inactive", seated(false, 1, 0), []int64{7}, 0},
	} {
		for i, head := range c.heads {
			serve(c.s, SourceID(i+1), published(head))
		}
		load := c.s.Load
		got, granted := c.s.Grant()
		if got != c.want || granted != (c.want != 0) || granted && c.s.Load != load+1 || !granted && c.s.Load != load {
			t.Errorf("%s: got source %d, %v, load %d after %d; want source %d", c.name, got, granted, c.s.Load, load, c.want)
		}
	}
}

// Catches a grant that is used although it belongs to somebody else by now, and a seat lost on the way.
func TestSeatingUseGrant(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Seating)
		want   bool
	}{
		{"as granted", func(*Seating) {}, true},
		{"deactivated", func(s *Seating) { s.Change(OperatorPatch{Active: ptr(false)}) }, false},
		{"lowered below", func(s *Seating) { s.Change(OperatorPatch{MaxLoad: ptr(1)}) }, false},
		{"unlinked", func(s *Seating) { s.Leave(1) }, false},
		{"an older contact came", func(s *Seating) { serve(s, 2, published(4)) }, false},
		{"a newer contact came", func(s *Seating) { serve(s, 2, published(6)) }, true},
	} {
		s := seated(true, 2, 2) // one seat is held, one granted
		serve(s, 1, published(5))
		c.change(s)
		got := s.UseGrant(1, 5)
		if want := map[bool]int{true: 2, false: 1}[c.want]; got != c.want || s.Load != want {
			t.Errorf("%s: got %v with load %d, want %v with %d", c.name, got, s.Load, c.want, want)
		}
	}
}

// Catches a manual assignment that passes a limit without force, or says that it was forced when it was not.
func TestSeatingPlace(t *testing.T) {
	for _, c := range []struct {
		name  string
		s     *Seating
		force bool
		how   How
		code  Code
	}{
		{"free", seated(true, 1, 0), false, Manual, ""},
		{"free, force", seated(true, 1, 0), true, Manual, ""},
		{"full", seated(true, 1, 1), false, 0, CodeOperatorFull},
		{"full, force", seated(true, 1, 1), true, Forced, ""},
		{"inactive", seated(false, 1, 0), false, 0, CodeOperatorInactive},
		{"inactive and full", seated(false, 1, 1), false, 0, CodeOperatorInactive},
		{"inactive, force", seated(false, 1, 0), true, Forced, ""},
		{"no seats, force", seated(true, 0, 0), true, Forced, ""},
	} {
		load := c.s.Load
		how, err := c.s.Place(c.force)
		if how != c.how || codeOf(err) != c.code || (err == nil) != (c.s.Load == load+1) {
			t.Errorf("%s: got %d, %v, load %d after %d; want %d, %q", c.name, how, err, c.s.Load, load, c.how, c.code)
		}
		if err != nil && c.s.Load != load {
			t.Errorf("%s: refused, but a seat was taken", c.name)
		}
	}
}

// Catches a source that is noted twice, or that stays noted.
func TestSeatingServe(t *testing.T) {
	s := seated(true, 1, 0)
	for _, id := range []SourceID{5, 2, 9, 5} {
		serve(s, id, published(int64(id)))
	}
	s.Leave(9)
	s.Leave(9)
	s.Leave(4)
	for id, want := range map[SourceID]bool{1: false, 2: true, 4: false, 5: true, 9: false} {
		if s.Serves(id) != want {
			t.Errorf("source %d: served is %v", id, !want)
		}
	}
	if len(s.serves) != 2 {
		t.Errorf("serves %+v", s.serves)
	}
}
