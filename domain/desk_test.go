package domain

import (
	"reflect"
	"slices"
	"testing"
)

// spy is a place on a floor where a test meddles between the steps of a desk; nil hooks do nothing.
type spy struct {
	Seats
	publish func(Rank)                               // before a head is published
	take    func(OperatorID) bool                    // false: the last seat was lost to another source
	commit  func(Record)                             // as a record is sent
	serve   func(OperatorID, bool, Record) (e error) // instead of Serve
}

func (s *spy) Publish(head Rank) {
	if s.publish != nil {
		s.publish(head)
	}
	s.Seats.Publish(head)
}

func (s *spy) Take(op OperatorID, rank Rank, r Record) bool {
	return (s.take == nil || s.take(op)) && s.Seats.Take(op, rank, r)
}

func (s *spy) Commit(r Record) {
	if s.commit != nil {
		s.commit(r)
	}
	s.Seats.Commit(r)
}

func (s *spy) Serve(op OperatorID, wanted bool, r Record) error {
	if s.serve != nil {
		return s.serve(op, wanted, r)
	}
	return s.Seats.Serve(op, wanted, r)
}

// watch puts a spy between a desk and the floor.
func (w *world) watch(source SourceID) *spy {
	s := &spy{Seats: w.desks[source].seats}
	w.desks[source].seats = s
	return s
}

// assigned lists who got contacts in the current command's records.
func (w *world) assigned() (ops []OperatorID) {
	for _, r := range w.records {
		for _, e := range r.Events {
			if a, ok := e.(*ContactAssigned); ok {
				ops = append(ops, a.Operator)
			}
		}
	}
	return ops
}

// pair is a world of two sources of this policy that share two operators of one seat each.
func pair(t *testing.T, backlog BacklogPolicy) *world {
	w := newWorld(t)
	for range 2 {
		w.operator(true, 1)
	}
	for range 2 {
		id := w.source(backlog)
		w.link(id, 1, 1)
		w.link(id, 2, 1)
	}
	return w
}

// Catches a desk that does not look at the seats again after it published: a seat that frees in between goes to nobody.
func TestDeskLooksAgainAfterPublishing(t *testing.T) {
	w := pair(t, BacklogAuto)
	w.contact(2, "a@example.com")
	w.contact(2, "b@example.com") // nobody is free now
	s := w.watch(1)
	s.publish = func(Rank) {
		s.publish = nil
		w.desks[2].Close(1, "", w.now) // sees no head, so it frees the seat
	}
	id := w.contact(1, "c@example.com")
	w.deliver()
	if c, _ := w.catalog.Contact(id); c.Status != StatusAssigned || c.Operator != 1 {
		t.Errorf("got %+v, want it assigned to operator 1", c)
	}
	w.check()
}

// Catches a desk that assigns twice, or keeps a seat for nothing, when more grants arrive than contacts wait.
func TestDeskGivesBackWhatItNeedsNoMore(t *testing.T) {
	w := pair(t, BacklogAuto)
	w.contact(2, "a@example.com")
	w.contact(2, "b@example.com")
	s := w.watch(1)
	s.publish = func(head Rank) {
		s.publish = nil
		s.Seats.Publish(head)
		w.desks[2].Close(1, "", w.now) // sees the head: a grant
		w.desks[2].Close(2, "", w.now) // and another
	}
	w.contact(1, "c@example.com")
	w.deliver()
	if got := w.assigned(); len(got) != 1 {
		t.Errorf("assigned to %v, want one operator", got)
	}
	w.check()
}

// Catches a head that is withdrawn before the record that takes its contact away was sent, or published after the
// record that makes the backlog drain: in between, a newer contact of another source could overtake.
func TestDeskPublishesHeadsWhileTheyCount(t *testing.T) {
	w := pair(t, BacklogManual)
	for range 2 {
		w.contact(2, "a@example.com")
	}
	id := w.contact(1, "b@example.com") // waits
	s := w.watch(1)
	sent := 0
	s.commit = func(r Record) {
		sent++
		if head := w.head(1); head != RankOf(id, 0) {
			t.Errorf("head %d is published while %T is sent, want %d", head, r.Events[0], id)
		}
	}
	w.edit(1, SourcePatch{Backlog: ptr(BacklogAuto)})
	w.edit(1, SourcePatch{Backlog: ptr(BacklogManual)})
	w.edit(1, SourcePatch{Backlog: ptr(BacklogAuto)})
	w.close(id)
	if head := w.head(1); head != 0 || sent != 4 {
		t.Errorf("head %d is still published after %d records, want none after 4", head, sent)
	}
	w.check()
}

// Catches a failed take that changes lags, that keeps the operator in the set, or that ends the search.
func TestDeskDropsWhoeverHasNoSeatReally(t *testing.T) {
	w := newWorld(t)
	source := w.source(BacklogAuto)
	for range 4 {
		w.link(source, w.operator(true, 9), 1)
	}
	var tried []OperatorID
	w.watch(source).take = func(op OperatorID) bool { tried = append(tried, op); return op == 3 }
	id := w.contact(source, "a@example.com")
	if want := []OperatorID{1, 2, 3}; !slices.Equal(tried, want) {
		t.Errorf("tried %v, want %v", tried, want)
	}
	a := w.records[0].Events[1].(*ContactAssigned)
	want := &ContactAssigned{ID: id, Source: source, Operator: 3, How: Automatic, Among: Among{Kind: SpelledSet, Rows: Rows{0b1100}}}
	if !reflect.DeepEqual(a, want) {
		t.Errorf("got %+v, want %+v", a, want)
	}
	w.check() // the model's share charges only the last set
}

// Catches a desk that panics, spins or forgets the contact when every take fails; and one that tries seats for a new
// contact while older ones of its own wait.
func TestDeskKeepsAContactThatNobodyTakes(t *testing.T) {
	w := pair(t, BacklogAuto)
	tries := 0
	w.watch(1).take = func(OperatorID) bool { tries++; return false }
	first := w.contact(1, "a@example.com")
	if tries != 4 {
		t.Errorf("%d takes, want two operators tried twice", tries)
	}
	second := w.contact(1, "a@example.com")
	got := w.desks[1].State()
	if tries != 4 || !slices.Equal(got.Backlog, []Rank{RankOf(first, 0), RankOf(second, 0)}) || got.Decisions != 0 {
		t.Errorf("after %d takes: %+v", tries, got)
	}
	w.check()
}

// Catches a link that stays although the operator refused it.
func TestDeskLinkRefusedBySeats(t *testing.T) {
	w := newWorld(t)
	source, op := w.source(BacklogAuto), w.operator(true, 1)
	w.watch(source).serve = func(OperatorID, bool, Record) error { return Refuse(CodeOperatorNotFound, "deleted") }
	w.link(source, op, 1)
	if len(w.desks[source].State().Links) != 0 || len(w.answers) != 1 || codeOf(w.answers[0]) != CodeOperatorNotFound {
		t.Errorf("answers %v, links %+v", w.answers, w.desks[source].State().Links)
	}
	w.check()
}

// Catches a limit of links that is off by one, that counts links of before, or that blocks a change of weight.
func TestDeskMaxLinks(t *testing.T) {
	w := newWorld(t)
	source := w.source(BacklogAuto)
	for range MaxLinks + 1 {
		w.operator(true, 1)
	}
	refused := func(op OperatorID, weight int64) bool {
		w.link(source, op, weight)
		return len(w.answers) == 1 && codeOf(w.answers[0]) == CodeTooManyLinks
	}
	for op := range OperatorID(MaxLinks) {
		if refused(op+1, 1) {
			t.Fatalf("link %d was refused", op+1)
		}
	}
	if !refused(MaxLinks+1, 1) || refused(5, 2) {
		t.Error("at the limit a new link must be refused, and a new weight must not")
	}
	w.unlink(source, 5)
	if refused(MaxLinks+1, 1) || !refused(5, 1) {
		t.Error("an unlink must make room for exactly one")
	}
	w.contact(source, "a@example.com")
	w.check()
}

// Catches an unlink that takes contacts away from the operator, or leaves it a way to get new ones.
func TestDeskUnlinkKeepsContacts(t *testing.T) {
	w := newWorld(t)
	source, op := w.source(BacklogAuto), w.operator(true, 2)
	w.link(source, op, 1)
	first := w.contact(source, "a@example.com")
	w.unlink(source, op)
	second := w.contact(source, "a@example.com")
	if got, want := w.desks[source].State().Live, map[ContactID]liveContact{first: {operator: op}, second: {}}; !reflect.DeepEqual(got, want) {
		t.Errorf("live %v, want %v", got, want)
	}
	w.close(first)
	w.deliver()
	if got := w.assigned(); got != nil {
		t.Errorf("assigned to %v, who is not linked", got)
	}
	w.check()
}

// Catches an edit that loses the name, or commits what is no change.
func TestDeskEdit(t *testing.T) {
	w := newWorld(t)
	id := w.source(BacklogAuto)
	w.edit(id, SourcePatch{Name: ptr("sales")})
	want := []Record{{At: w.now, By: w.by, Events: []Event{&SourceChanged{ID: id, Name: "sales", Backlog: BacklogAuto}}}}
	if !reflect.DeepEqual(w.records, want) {
		t.Errorf("got %+v, want %+v", w.records, want)
	}
	w.edit(id, SourcePatch{Name: ptr("sales"), Backlog: ptr(BacklogAuto)})
	if len(w.records) != 0 || !slices.Equal(w.answers, []error{nil}) {
		t.Errorf("records %+v, answers %v", w.records, w.answers)
	}
	w.check()
}
