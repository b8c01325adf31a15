package main

import (
	"encoding/json"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"minicrm/domain"
)

// everyEvent has each kind of event, with each field that a dump leaves out when it is empty.
func everyEvent() []domain.Event {
	name, phone := "Ann", "+7"
	key := domain.Key{Digest: [16]byte{0xab, 15: 0xcd}, Body: 1}
	set := domain.Among{Kind: domain.SpelledSet, Rows: domain.Rows{0b101}}
	return []domain.Event{
		&domain.OperatorCreated{ID: 1, Name: "op", Active: true, MaxLoad: 2, ExternalID: "x-1", Username: "op1"},
		&domain.OperatorChanged{ID: 1, Name: "op", Draining: true, MaxLoad: 2},
		&domain.OperatorDeleted{ID: 1},
		&domain.SourceCreated{ID: 1, Name: "chat", Backlog: domain.BacklogAuto, BacklogLimit: 3, StickyWindow: 4},
		&domain.SourceChanged{ID: 1, Name: "chat", Backlog: domain.BacklogManual},
		&domain.SourceDeleted{ID: 1},
		&domain.LinkSet{Source: 1, Operator: 2, Weight: 3},
		&domain.LinkRemoved{Source: 1, Operator: 2},
		&domain.OperatorDrawn{Source: 1, Operator: 2, Among: set},
		&domain.LeadCreated{ID: 1, Email: "a@example.com"},
		&domain.LeadChanged{ID: 1, Name: &name, Phone: &phone},
		&domain.LeadErased{ID: 1},
		&domain.ContactCreated{ID: 1, Source: 2, Lead: 3, Text: "hello", Priority: 9, Key: key},
		&domain.ContactAssigned{ID: 1, Source: 2, Operator: 3, From: 4, How: domain.Sticky, Among: set},
		&domain.ContactReleased{ID: 1, Source: 2, Operator: 3},
		&domain.ContactReopened{ID: 1, Source: 2, Priority: 3},
		&domain.ContactPrioritised{ID: 1, Source: 2, Priority: 3},
		&domain.ContactClosed{ID: 1, Source: 2, Operator: 3, Reason: "sold"},
		&domain.ContactsArchived{Day: 20_500, IDs: []domain.ContactID{1, 2}},
	}
}

// described are the same as a dump has them, without index and time.
const described = `
OperatorCreated id=1 name="op" active=true draining=false max_load=2 external_id="x-1" username="op1" by="Zoë"
OperatorChanged id=1 name="op" active=false draining=true max_load=2 by="Zoë"
OperatorDeleted id=1 by="Zoë"
SourceCreated id=1 name="chat" backlog="auto" backlog_limit=3 sticky_window=4 by="Zoë"
SourceChanged id=1 name="chat" backlog="manual" backlog_limit=0 sticky_window=0 by="Zoë"
SourceDeleted id=1 by="Zoë"
LinkSet source_id=1 operator_id=2 weight=3 by="Zoë"
LinkRemoved source_id=1 operator_id=2 by="Zoë"
OperatorDrawn source_id=1 operator_id=2 among="rows" rows=[0,2] by="Zoë"
LeadCreated id=1 email="a@example.com" name="" phone="" by="Zoë"
LeadChanged id=1 name="Ann" phone="+7" by="Zoë"
LeadErased id=1 by="Zoë"
ContactCreated id=1 source_id=2 lead_id=3 text="hello" priority=9 key_digest="ab0000000000000000000000000000cd" by="Zoë"
ContactAssigned id=1 source_id=2 operator_id=3 from_operator_id=4 how="sticky" among="rows" rows=[0,2] by="Zoë"
ContactReleased id=1 source_id=2 operator_id=3 by="Zoë"
ContactReopened id=1 source_id=2 priority=3 by="Zoë"
ContactPrioritised id=1 source_id=2 priority=3 by="Zoë"
ContactClosed id=1 source_id=2 operator_id=3 reason="sold" by="Zoë"
ContactsArchived archive="contacts-2026-02-16.ndjson.zst" ids=[1,2] by="Zoë"
`

// Catches: an event that a dump does not know, and a field that is left out.
func TestDescribeEveryEvent(t *testing.T) {
	d := newDirectory(t, 1)
	all := everyEvent()
	d.store.Add(domain.Record{At: 1, By: "Zoë", Events: all})
	check(t, d.store.Commit())
	out, _, _ := runTool(t, "wal", "dump", d.path, "--from", "2")
	if got := strings.ReplaceAll("\n"+out, "2 1970-01-01T00:00:00.000001Z ", ""); got != described {
		t.Errorf("got%swant%s", got, described)
	}
	lines, _, _ := runTool(t, "wal", "dump", d.path, "--from", "2", "--json")
	for line := range strings.Lines(lines) {
		var event struct{ Event, By string }
		if err := json.Unmarshal([]byte(line), &event); err != nil || event.By != "Zoë" || !strings.Contains(described, event.Event) {
			t.Errorf("%s is %+v, %v", line, event, err)
		}
	}
	var names, listed []string
	source, err := os.ReadFile("../../domain/event.go")
	check(t, err)
	for _, match := range regexp.MustCompile(`func \(\*(\w+)\) event\(\)`).FindAllStringSubmatch(string(source), -1) {
		names = append(names, match[1])
	}
	for _, e := range all {
		listed = append(listed, reflect.TypeOf(e).Elem().Name())
	}
	slices.Sort(names)
	slices.Sort(listed)
	if !slices.Equal(names, listed) {
		t.Errorf("package domain has\n%v\nand tested are\n%v", names, listed)
	}
}
