package httpapi

import (
	_ "embed"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"minicrm/domain"
)

// What the generator of types.gen.go does not prove. That the file is the generator's is make lint's to prove.

//go:embed types.gen.go
var typesOfTheContract string

var (
	generatedStruct = regexp.MustCompile(`(?ms)^type (\w+) struct \{$(.*?)^}`)
	generatedMember = regexp.MustCompile("json:\"([^\",]+)")
)

// Catches: answers whose members do not come in the contract's order, since required has them in another or the overlay
// forgot one; types that were not generated again when the contract changed.
func TestTypesHaveTheContractsMembers(t *testing.T) {
	members := map[string][]string{}
	for _, found := range generatedStruct.FindAllStringSubmatch(typesOfTheContract, -1) {
		for _, member := range generatedMember.FindAllStringSubmatch(found[2], -1) {
			members[found[1]] = append(members[found[1]], member[1])
		}
	}
	requests := bodiesOfRequests()
	for _, schema := range theContract().root.At("components", "schemas").Each() {
		var want []string
		for _, member := range schema.At("properties").Each() {
			want = append(want, member.Name())
		}
		got := members[schema.Name()]
		if slices.Contains(requests, schema.Name()) {
			slices.Sort(got)
			slices.Sort(want)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s:\n    type %q\ncontract %q", schema.Name(), got, want)
		}
	}
}

// bodiesOfRequests are the schemas of bodies, and of what a batch is made of.
func bodiesOfRequests() (names []string) {
	for _, o := range theContract().operations {
		schema := o.at.At("requestBody", "content", "application/json", "schema")
		if items := schema.At("items"); items.Given() {
			schema = items
		}
		if schema.Given() {
			names = append(names, schema.Target())
		}
	}
	return names
}

// Catches: a member of a request that has a type, so that it is not refused, and that no handler reads; one whose wrong
// type ends the reading, so that the others are not told.
func TestEveryMemberOfARequestIsRead(t *testing.T) {
	e := newEdge(t)
	for _, o := range theContract().operations {
		schema := o.at.At("requestBody", "content", "application/json", "schema")
		form := "{%s}"
		if items := schema.At("items"); items.Given() {
			schema, form = items, "[{%s}]"
		}
		var members []string
		for _, member := range schema.At("properties").Each() {
			members = append(members, fmt.Sprintf("%q:[]", member.Name()))
		}
		if len(members) == 0 {
			continue
		}
		body := fmt.Sprintf(form, strings.Join(members, ","))
		a := e.do(o.method, regexp.MustCompile(`\{\w+\}`).ReplaceAllString(o.path, "1"), body)
		for _, member := range schema.At("properties").Each() {
			if !strings.Contains(a.body, fmt.Sprintf(`{"field":%q,"message":"must be a`, member.Name())) {
				t.Errorf("%s %s: nothing is said of %s: %s", a.call, body, member.Name(), a.body)
			}
		}
	}
}

// Catches: an answer to a batch that is written by hand and is not what the contract's type is written as.
func TestBatchAnswersAreTheContracts(t *testing.T) {
	c := idleContact(&domain.NewContact{Source: 2, Text: "a \"quote\"\n"}, 1_700_000_000_000_000)
	again := c
	again.Status, again.Operator, again.How, again.AssignedAt = domain.StatusOpen, 0, 0, 0
	bad := &domain.Error{Code: domain.CodeInvalid, Message: "the request has bad values", Fields: []domain.FieldError{{Field: "text", Message: "is <too> long"}}}
	taken := &domain.Error{Code: domain.CodeEmailTaken, Message: "a lead has it", Lead: 7}
	want, err := json.Marshal(&BatchAnswer{Items: []BatchItem{
		{Status: 201, Contact: viewContact(c)},
		{Status: 422, Problem: *problemOf(bad)},
		{Status: 200, Replayed: true, Contact: viewContact(again)},
		{Status: 409, Problem: *problemOf(taken)},
	}})
	if err != nil {
		t.Fatal(err)
	}
	next := new(api).batchAnswer(
		nil, &batch{refusals: []error{nil, bad, nil, nil}}, []domain.CreatedContact{{Contact: c}, {Contact: again, Replayed: true}, {Err: taken}},
	)
	var got []byte
	for more := true; more; {
		got, more = next(got)
	}
	if string(got) != string(want) {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}
