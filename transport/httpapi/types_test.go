package httpapi

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"minicrm/domain"
)

// Requests and answers have hand-written types. Generated ones were tried: oapi-codegen v2.8.2 sorts the members of
// answers by name, makes a constant "<nil>" of a null in an enum, and its pointers for requests end the decoding at the
// first wrong type, where ours name all of them. So what a generator would guarantee is proved here instead.
var contractTypes = map[string]any{
	"NewContact": contactBody{}, "NewBatchContact": itemBody{}, "ContactPatch": priorityBody{}, "Assignment": assignBody{}, "Closing": closeBody{},
	"NewOperator": operatorBody{}, "OperatorPatch": operatorPatchBody{}, "NewSource": sourceBody{}, "SourcePatch": sourceBody{},
	"Weight": linkBody{}, "PreviewRequest": previewBody{}, "NewLead": leadBody{}, "LeadPatch": leadPatchBody{},

	"Operator": operatorView{}, "OperatorList": listView[*operatorView]{}, "Source": sourceView{}, "SourceList": listView[*sourceView]{},
	"Link": linkView{}, "LinkList": listView[*linkView]{}, "Lead": leadView{}, "LeadList": listView[*leadView]{},
	"ContactList": listView[*contactView]{}, "Step": stepView{}, "Released": releasedView{}, "Received": receivedView{},
	"Shares": sharesView{}, "Share": shareView{}, "Preview": previewView{}, "Decision": decisionView{}, "Candidate": candidateView{},
	"Excluded": excludedView{}, "Erased": erasedView{}, "Snapshot": snapshotView{}, "RocketChatAgent": rocketChatView{},
	"Problem": problem{}, "FieldError": problemField{},
}

// byHand are the objects of the contract that are no struct: Contact and what is around it are appended by hand, a history
// is a list without a next page, and Nothing is an empty struct in the code.
var byHand = []string{"Contact", "BatchAnswer", "BatchItem", "History", "Nothing"}

// Catches: a member that the contract has and the code does not, or the other way round; one of another type; one that is
// always there in one of them only; a null that only one of them knows; an order that differs.
func TestTypesAreTheContracts(t *testing.T) {
	for _, schema := range theContract().root.At("components", "schemas").Each() {
		value, known := contractTypes[schema.Name()]
		if !known {
			if schema.At("type").Text() == "object" && !slices.Contains(byHand, schema.Name()) {
				t.Errorf("%s: no type of the code is said to be it", schema.Name())
			}
			continue
		}
		var want []string
		required := schema.At("required").Texts()
		for _, member := range schema.At("properties").Each() {
			want = append(want, memberOf(member, slices.Contains(required, member.Name())))
		}
		got := membersOf(reflect.TypeOf(value), required)
		if !slices.Equal(got, want) {
			t.Errorf("%s:\n the code %q\ncontract %q", schema.Name(), got, want)
		}
	}
	e := newEdge(t)
	e.source()
	e.contact(1, "a@example.org")
	text := e.do("GET", "/v1/contacts/1", "").body
	for _, member := range theContract().root.At("components", "schemas", "Contact", "properties").Each() {
		if _, rest, found := strings.Cut(text, fmt.Sprintf("%q:", member.Name())); found {
			text = rest
		} else {
			t.Errorf("Contact: %s is missing or in another place", member.Name())
		}
	}
}

// memberOf describes a member of the contract.
func memberOf(member part, required bool) string {
	kinds := member.At("type").Texts()
	if len(kinds) == 0 || kinds[0] == "null" {
		kinds = []string{"?"}
	}
	null := slices.Contains(kinds, "null")
	return fmt.Sprintf("%s %s null=%v required=%v", member.Name(), kinds[0], null, required)
}

// membersOf describes the members of a struct. Whether a member of a request has to be there is the handler's business, and
// random requests prove it; of those the contract's word is taken.
func membersOf(structure reflect.Type, required []string) (all []string) {
	for i := range structure.NumField() {
		field := structure.Field(i)
		if field.Anonymous {
			all = append(all, membersOf(field.Type, required)...)
			continue
		}
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		there, kind, null := options == "", field.Type, false
		if kind.Kind() == reflect.Struct && strings.HasPrefix(kind.Name(), "member[") {
			there, kind = slices.Contains(required, name), kind.Field(0).Type
		}
		if null = kind.Kind() == reflect.Pointer; null {
			kind = kind.Elem()
		}
		all = append(all, fmt.Sprintf("%s %s null=%v required=%v", name, jsonKind(kind), null, there))
	}
	return all
}

func jsonKind(kind reflect.Type) string {
	switch {
	case kind == reflect.TypeFor[moment]():
		return "string"
	case kind == reflect.TypeFor[domain.Code](), kind.Kind() == reflect.String:
		return "string"
	case kind.Kind() == reflect.Bool:
		return "boolean"
	case kind.Kind() == reflect.Float64:
		return "number"
	case kind.Kind() == reflect.Slice:
		return "array"
	case kind.Kind() == reflect.Struct:
		return "object"
	}
	return "integer"
}
