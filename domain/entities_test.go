package domain

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

// wide is n characters of three bytes each: limits of names count characters, limits of texts bytes.
func wide(n int) string { return strings.Repeat("€", n) }

// Catches a limit that is off by one, counts bytes for characters, or is not checked at all; and a refusal that does
// not name the field.
func TestValidate(t *testing.T) {
	for _, c := range []struct {
		name   string
		err    error
		fields []string // the bad ones
	}{
		{"operator", NewOperator{Name: "x", MaxLoad: DefaultMaxLoad}.Validate(), nil},
		{"operator, least", NewOperator{Name: "x", MaxLoad: 0}.Validate(), nil},
		{"operator, most", NewOperator{Name: wide(MaxName), MaxLoad: MaxLoadLimit}.Validate(), nil},
		{"operator, name", NewOperator{Name: wide(MaxName + 1), MaxLoad: 1}.Validate(), []string{"name"}},
		{"operator, no name", NewOperator{MaxLoad: 1}.Validate(), []string{"name"}},
		{"operator, blank name", NewOperator{Name: " \t\n", MaxLoad: 1}.Validate(), []string{"name"}},
		{"operator, max_load", NewOperator{Name: "x", MaxLoad: MaxLoadLimit + 1}.Validate(), []string{"max_load"}},
		{"operator, both", NewOperator{MaxLoad: -1}.Validate(), []string{"name", "max_load"}},

		{"operator patch, nothing", OperatorPatch{}.Validate(), nil},
		{"operator patch, most", OperatorPatch{Name: ptr(wide(MaxName)), MaxLoad: ptr(MaxLoadLimit)}.Validate(), nil},
		{"operator patch, least", OperatorPatch{Active: ptr(false), MaxLoad: ptr(0)}.Validate(), nil},
		{"operator patch, both", OperatorPatch{Name: ptr(""), MaxLoad: ptr(-1)}.Validate(), []string{"name", "max_load"}},
		{"operator patch, past", OperatorPatch{Name: ptr(wide(MaxName + 1)), MaxLoad: ptr(MaxLoadLimit + 1)}.Validate(), []string{"name", "max_load"}},

		{"source, auto", NewSource{Name: wide(MaxName), Backlog: BacklogAuto}.Validate(), nil},
		{"source, manual", NewSource{Name: "x", Backlog: BacklogManual}.Validate(), nil},
		{"source, nothing", NewSource{}.Validate(), []string{"name", "backlog"}},
		{"source, past", NewSource{Name: wide(MaxName + 1), Backlog: BacklogManual + 1}.Validate(), []string{"name", "backlog"}},

		{"source patch, nothing", SourcePatch{}.Validate(), nil},
		{"source patch", SourcePatch{Name: ptr("x"), Backlog: ptr(BacklogManual)}.Validate(), nil},
		{"source patch, both", SourcePatch{Name: ptr(" "), Backlog: ptr(BacklogPolicy(0))}.Validate(), []string{"name", "backlog"}},

		{"weight, least", ValidateWeight(0), nil},
		{"weight, most", ValidateWeight(MaxWeight), nil},
		{"weight, below", ValidateWeight(-1), []string{"weight"}},
		{"weight, past", ValidateWeight(MaxWeight + 1), []string{"weight"}},

		{"lead, nothing", NewLead{Email: "a@example.com"}.Validate(), nil},
		{"lead, most", NewLead{Name: wide(MaxName), Phone: wide(MaxPhone)}.Validate(), nil},
		{"lead, past", NewLead{Name: wide(MaxName + 1), Phone: wide(MaxPhone + 1)}.Validate(), []string{"name", "phone"}},
		{"lead patch, nothing", LeadPatch{}.Validate(), nil},
		{"lead patch, emptied", LeadPatch{Name: ptr(""), Phone: ptr("")}.Validate(), nil},
		{"lead patch, most", LeadPatch{Name: ptr(wide(MaxName)), Phone: ptr(wide(MaxPhone))}.Validate(), nil},
		{"lead patch, past", LeadPatch{Name: ptr(wide(MaxName + 1)), Phone: ptr(wide(MaxPhone + 1))}.Validate(), []string{"name", "phone"}},

		{"contact, nothing", NewContact{}.Validate(), nil},
		{"contact, most", NewContact{Name: wide(MaxName), Phone: wide(MaxPhone), Text: strings.Repeat("x", MaxText)}.Validate(), nil},
		{"contact, past", NewContact{Name: wide(MaxName + 1), Phone: wide(MaxPhone + 1), Text: strings.Repeat("x", MaxText+1)}.Validate(), []string{"name", "phone", "text"}},
		{"contact, bytes", NewContact{Text: wide(MaxText/3 + 1)}.Validate(), []string{"text"}},
	} {
		var fields []string
		if e := (*Error)(nil); errors.As(c.err, &e) {
			for _, f := range e.Fields {
				fields = append(fields, f.Field)
			}
		}
		if !reflect.DeepEqual(fields, c.fields) || (c.err == nil) != (c.fields == nil) {
			t.Errorf("%s: got %v, want bad fields %v", c.name, c.err, c.fields)
		}
		if c.err != nil && codeOf(c.err) != CodeInvalid {
			t.Errorf("%s: code %q", c.name, codeOf(c.err))
		}
	}
}

// Catches a patch that overwrites what it does not name, or changes more than a copy.
func TestPatches(t *testing.T) {
	o := Operator{ID: 3, Name: "a", Active: true, MaxLoad: 5, Load: 2, CreatedAt: 7}
	for _, c := range []struct {
		patch OperatorPatch
		want  Operator
	}{
		{OperatorPatch{}, o},
		{OperatorPatch{Name: ptr("b")}, Operator{ID: 3, Name: "b", Active: true, MaxLoad: 5, Load: 2, CreatedAt: 7}},
		{OperatorPatch{Active: ptr(false)}, Operator{ID: 3, Name: "a", MaxLoad: 5, Load: 2, CreatedAt: 7}},
		{OperatorPatch{MaxLoad: ptr(0)}, Operator{ID: 3, Name: "a", Active: true, Load: 2, CreatedAt: 7}},
	} {
		if got := c.patch.Apply(o); got != c.want {
			t.Errorf("got %+v, want %+v", got, c.want)
		}
	}
	s := Source{ID: 3, Name: "a", Backlog: BacklogAuto, CreatedAt: 7}
	for _, c := range []struct {
		patch SourcePatch
		want  Source
	}{
		{SourcePatch{}, s},
		{SourcePatch{Name: ptr("b")}, Source{ID: 3, Name: "b", Backlog: BacklogAuto, CreatedAt: 7}},
		{SourcePatch{Backlog: ptr(BacklogManual)}, Source{ID: 3, Name: "a", Backlog: BacklogManual, CreatedAt: 7}},
	} {
		if got := c.patch.Apply(s); got != c.want {
			t.Errorf("got %+v, want %+v", got, c.want)
		}
	}
}

// Catches an operator that takes contacts past max_load or while it is inactive.
func TestOperatorOpen(t *testing.T) {
	for o, want := range map[Operator]bool{
		{Active: true, MaxLoad: 1}:           true,
		{Active: true, MaxLoad: 2, Load: 1}:  true,
		{Active: true, MaxLoad: 2, Load: 2}:  false,
		{Active: true, MaxLoad: 2, Load: 3}:  false,
		{Active: true, MaxLoad: 0}:           false,
		{Active: false, MaxLoad: 2, Load: 0}: false,
	} {
		if o.Open() != want {
			t.Errorf("%+v: open is %v", o, o.Open())
		}
	}
}

// Catches a message that hides which field is wrong and why.
func TestErrorText(t *testing.T) {
	err := NewOperator{Name: " ", MaxLoad: -1}.Validate()
	if want := "the request has bad values: name must not be blank, max_load must be between 0 and 1000, is -1"; err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
	if got := Refuse(CodeContactClosed, "contact %d is closed", 4).Error(); got != "contact 4 is closed" {
		t.Errorf("got %q", got)
	}
}

// Catches a rank that does not lead back to its contact, or that orders by anything but priority and then age.
func TestRank(t *testing.T) {
	served := []struct {
		id       ContactID
		priority uint8
	}{{1 << 50, 9}, {1, 8}, {2, 8}, {1, 1}, {1, 0}, {1 << 50, 0}}
	for i, c := range served {
		rank := RankOf(c.id, c.priority)
		if rank <= 0 || rank.Contact() != c.id || i > 0 && rank <= RankOf(served[i-1].id, served[i-1].priority) {
			t.Errorf("contact %d of priority %d has rank %d", c.id, c.priority, rank)
		}
	}
}
