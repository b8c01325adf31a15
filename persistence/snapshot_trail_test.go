package persistence

import (
	"bytes"
	"reflect"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"minicrm/domain"
	"minicrm/persistence/snapshotpb"
)

// TestTrailCodecAgainstProtobuf: the bytes of a part are those of protobuf's generated code, what did not change is not
// in them, and what is read back is the same and shares the same.
func TestTrailCodecAgainstProtobuf(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		part := anyPart(t)
		want, err := proto.MarshalOptions{Deterministic: true}.Marshal(partToProto(t, part))
		var c coder
		trailPart(&c, part)
		if err != nil || !bytes.Equal(c.buf, want) {
			t.Fatalf("%+v\nis written as\n%x\nand protobuf writes\n%x, %v", part, c.buf, want, err)
		}
		c = coder{reading: true, buf: c.buf, end: len(c.buf)}
		var back domain.TrailPart
		trailPart(&c, &back)
		if c.finish(); c.err != nil || !reflect.DeepEqual(&back, part) {
			t.Fatalf("%+v\nis read back as\n%+v, %v", part, back, c.err)
		}
		if got, want := sharing(back.Steps), sharing(part.Steps); !reflect.DeepEqual(got, want) {
			t.Fatalf("%+v\nis read back sharing\n%v instead of\n%v", part, got, want)
		}
	})
	checkFields(t, (&snapshotpb.TrailPart{}).ProtoReflect().Descriptor(), reflect.TypeFor[domain.TrailPart](), nil)
	// alone is what a nil set is
	checkFields(t, (&snapshotpb.TrailStep{}).ProtoReflect().Descriptor(), reflect.TypeFor[struct {
		domain.TrailStep
		Alone bool
	}](), nil)
}

func anyPart(t *rapid.T) *domain.TrailPart {
	p := &domain.TrailPart{Source: domain.SourceID(rapid.Int64().Draw(t, "source"))}
	if rapid.Bool().Draw(t, "begin") {
		p.Begin = new(domain.LedgerState)
		fillFrozen(t, reflect.ValueOf(p.Begin).Elem(), nil)
	}
	var last domain.Situation
	for range rapid.IntRange(0, 6).Draw(t, "steps") {
		var s domain.TrailStep
		fillFrozen(t, reflect.ValueOf(&s).Elem(), []string{"Situation"})
		if s.Charged {
			s.Situation = anySituation(t, &last)
		}
		p.Steps = append(p.Steps, s)
	}
	return p
}

// anySituation is alone, as the last, or another.
func anySituation(t *rapid.T, last *domain.Situation) (s domain.Situation) {
	if last.Out == nil || rapid.Bool().Draw(t, "out") {
		last.Out = new(domain.Out)
		fillFrozen(t, reflect.ValueOf(last.Out).Elem(), nil)
	}
	s.Out = last.Out
	if rapid.IntRange(0, 2).Draw(t, "alone") == 0 {
		return s
	}
	if last.Set == nil || rapid.Bool().Draw(t, "set") {
		last.Set = &domain.Rows{rapid.Uint64().Draw(t, "rows"), 1}
	}
	s.Set = last.Set
	return s
}

func partToProto(t *rapid.T, p *domain.TrailPart) *snapshotpb.TrailPart {
	pb := &snapshotpb.TrailPart{Source: int64(p.Source)}
	if p.Begin != nil {
		pb.Begin = &snapshotpb.LedgerState{}
		frozenToProto(t, pb.Begin.ProtoReflect(), reflect.ValueOf(*p.Begin), nil)
	}
	var last domain.Situation
	for _, s := range p.Steps {
		step := &snapshotpb.TrailStep{Alone: s.Charged && s.Set == nil}
		if s.Set != nil && s.Set != last.Set {
			last.Set, step.Set = s.Set, *s.Set
		}
		if s.Out != last.Out && s.Charged {
			last.Out = s.Out
			step.Out = &snapshotpb.Out{Inactive: s.Out.Inactive, Draining: s.Out.Draining}
		}
		frozenToProto(t, step.ProtoReflect(), reflect.ValueOf(s), []string{"Situation"})
		pb.Steps = append(pb.Steps, step)
	}
	return pb
}

// sharing numbers the sets and Outs that steps point to.
func sharing(steps []domain.TrailStep) (numbers []int) {
	seen := map[any]int{}
	for _, s := range steps {
		for _, p := range []any{s.Set, s.Out} {
			if _, known := seen[p]; !known {
				seen[p] = len(seen)
			}
			numbers = append(numbers, seen[p])
		}
	}
	return numbers
}

// Catches: a part that is read although what its steps were decided over is not known, or is said twice.
func TestTrailReadRefuses(t *testing.T) {
	step := func(all ...any) []byte { return fields(3, fields(all...)) }
	cases := map[string]struct {
		part []byte
		says string
	}{
		"no set before":        {step(5, 1, 9, fields()), "there is none"},
		"only alone before":    {append(step(5, 1, 7, 1, 9, fields()), step(5, 1)...), "there is none"},
		"no Out before":        {step(5, 1, 7, 1), "there is none"},
		"alone with a set":     {step(5, 1, 7, 1, 8, make([]byte, 8), 9, fields()), "field 8"},
		"not charged, and set": {step(4, 2, 8, make([]byte, 8)), "it is unknown here"},
		"not charged, and out": {step(4, 2, 9, fields()), "field 9: it is unknown here"},
		"half a word":          {step(5, 1, 8, make([]byte, 7)), "are no words of 8"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			c := coder{reading: true, buf: tc.part, end: len(tc.part)}
			trailPart(&c, &domain.TrailPart{})
			if c.finish(); c.err == nil || !strings.Contains(c.err.Error(), tc.says) {
				t.Errorf("the error is %v", c.err)
			}
		})
	}
}

// Catches: an item that makes a block larger than any reader takes.
func TestLargestItemsFit(t *testing.T) {
	most := &domain.LedgerState{Spelled: make(domain.Rows, 16), Decisions: 1 << 60}
	for range domain.MaxLinks {
		most.Links = append(most.Links, domain.Link{
			Operator: 1 << 40, Weight: domain.MaxWeight, Lag: -1 << 60, Last: 1 << 60, Received: 1 << 60, Seq: 1 << 60, Sticky: 1 << 60, Manual: 1 << 60,
		})
	}
	part := &domain.TrailPart{Source: 1 << 40, Begin: most}
	for range 256 {
		set := slices.Clone(most.Spelled)
		part.Steps = append(part.Steps, domain.TrailStep{
			At: 1 << 60, Contact: 1 << 50, Operator: 1 << 40, How: domain.Sticky, Charged: true, Situation: domain.Situation{
				Set: &set, Out: &domain.Out{Inactive: most.Spelled, Draining: most.Spelled},
			},
		})
	}
	reason := strings.Repeat("✓", domain.MaxReason)
	n := &domain.Contact{Text: strings.Repeat("x", domain.MaxText), Reason: reason}
	var past []domain.Step
	for range 1000 {
		past = append(past, domain.Step{At: 1 << 60, Kind: domain.StepClosed, By: 1 << 16, From: 1 << 40, To: 1 << 40, Reason: reason})
	}
	n.SetPast(past)
	var c coder
	trailPart(&c, part)
	trail := len(c.buf)
	contact(&c, n)
	if size := max(trail, len(c.buf)-trail) + blockBytes; size > maxBlock {
		t.Errorf("a block may have %d bytes", size)
	}
	t.Logf("a part of a trail has up to %d bytes, a contact %d", trail, len(c.buf)-trail)
}
