package persistence

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"

	"minicrm/domain"
	"minicrm/persistence/journalpb"
)

var update = flag.Bool("update", false, "write the golden files; read them before you commit them")

const goldenFile = "testdata/golden.txt"

// golden is an event that must be written, and read, as it always was.
type golden struct {
	name  string
	event domain.Event
}

// goldens has each kind of event, Among and absence.
func goldens() []golden {
	empty, name, phone := "", "Ann Lee", "+7 900"
	assigned := func(a domain.Among) domain.Event {
		return &domain.ContactAssigned{ID: 300, Source: 3, Operator: 12, From: 11, How: domain.Automatic, Among: a}
	}
	return []golden{
		{"ContactCreated", &domain.ContactCreated{ID: 300, Source: 3, Lead: 200, Text: "Hello"}},
		{"ContactAssigned/Uncharged", &domain.ContactAssigned{ID: 300, Source: 3, Operator: 12, How: domain.Manual}},
		{"ContactAssigned/Forced", &domain.ContactAssigned{ID: 300, Source: 3, Operator: 12, From: 11, How: domain.Forced}},
		{"ContactAssigned/Alone", assigned(domain.Among{Kind: domain.Alone})},
		{"ContactAssigned/SameSet", assigned(domain.Among{Kind: domain.SameSet})},
		{"ContactAssigned/SpelledSet", assigned(domain.Among{Kind: domain.SpelledSet, Rows: domain.Rows{0b1011, 1 << 63}})},
		{"ContactClosed", &domain.ContactClosed{ID: 300, Source: 3, Operator: 12}},
		{"ContactClosed/open", &domain.ContactClosed{ID: 300, Source: 3}},
		{"ContactClosed/reason", &domain.ContactClosed{ID: 300, Source: 3, Operator: 12, Reason: "sold"}},
		{"ContactCreated/priority", &domain.ContactCreated{ID: 300, Source: 3, Lead: 200, Text: "Hello", Priority: 9}},
		{"ContactCreated/key", &domain.ContactCreated{ID: 300, Source: 3, Lead: 200, Text: "Hello", Key: goldenKey()}},
		{"ContactAssigned/Sticky", &domain.ContactAssigned{
			ID: 300, Source: 3, Operator: 12, How: domain.Sticky, Among: domain.Among{Kind: domain.SameSet},
		}},
		{"ContactReleased", &domain.ContactReleased{ID: 300, Source: 3, Operator: 12}},
		{"ContactReopened", &domain.ContactReopened{ID: 300, Source: 3, Priority: 5}},
		{"ContactPrioritised", &domain.ContactPrioritised{ID: 300, Source: 3, Priority: 1}},
		{"OperatorDrawn", &domain.OperatorDrawn{Source: 3, Operator: 12, Among: domain.Among{Kind: domain.Alone}}},
		{"LeadCreated", &domain.LeadCreated{ID: 200, Email: "ann@example.com", Name: "Ann", Phone: "+7"}},
		{"LeadChanged", &domain.LeadChanged{ID: 200, Name: &name, Phone: &phone}},
		{"LeadChanged/emptied", &domain.LeadChanged{ID: 200, Phone: &empty}},
		{"ContactsArchived", &domain.ContactsArchived{Day: 20_500, IDs: []domain.ContactID{1, 300, 301}}},
		{"LeadErased", &domain.LeadErased{ID: 200}},
		{"OperatorCreated", &domain.OperatorCreated{ID: 12, Name: "Zoë", Active: true, MaxLoad: 5}},
		{"OperatorChanged", &domain.OperatorChanged{ID: 12, Name: "Zoë", MaxLoad: 1000}},
		{"SourceCreated", &domain.SourceCreated{ID: 3, Name: "Telegram", Backlog: domain.BacklogAuto}},
		{"SourceChanged", &domain.SourceChanged{ID: 3, Name: "Telegram", Backlog: domain.BacklogManual}},
		{"LinkSet", &domain.LinkSet{Source: 3, Operator: 12, Weight: 1_000_000}},
		{"LinkRemoved", &domain.LinkRemoved{Source: 3, Operator: 12}},
		{"OperatorCreated/external", &domain.OperatorCreated{ID: 12, Name: "Zoë", MaxLoad: 5, ExternalID: "rocket-7", Username: "zoe"}},
		{"OperatorChanged/draining", &domain.OperatorChanged{ID: 12, Name: "Zoë", Draining: true, MaxLoad: 5}},
		{"OperatorDeleted", &domain.OperatorDeleted{ID: 12}},
		{"SourceCreated/limits", &domain.SourceCreated{
			ID: 3, Name: "Telegram", Backlog: domain.BacklogAuto, BacklogLimit: 10_000, StickyWindow: 86_400,
		}},
		{"SourceChanged/limits", &domain.SourceChanged{
			ID: 3, Name: "Telegram", Backlog: domain.BacklogAuto, BacklogLimit: 1, StickyWindow: 2,
		}},
		{"SourceDeleted", &domain.SourceDeleted{ID: 3}},
	}
}

func goldenKey() domain.Key {
	k := domain.Key{Body: 0x0102030405060708}
	copy(k.Digest[:], "sixteen letters.")
	return k
}

// goldenPayload is a whole payload.
type goldenPayload struct {
	name    string
	first   uint64
	records []domain.Record
}

// goldenPayloads have two records, the first with two events.
func goldenPayloads() []goldenPayload {
	alone := &domain.ContactAssigned{ID: 300, Source: 3, Operator: 12, How: domain.Automatic, Among: domain.Among{Kind: domain.Alone}}
	return []goldenPayload{
		{"payload", 1001, []domain.Record{
			{At: 1764000000123456, Events: []domain.Event{
				&domain.ContactCreated{ID: 300, Source: 3, Lead: 200, Text: "Hello"}, alone,
			}},
			{At: 1764000000123457, Events: []domain.Event{&domain.ContactClosed{ID: 300, Source: 3, Operator: 12}}},
		}},
		{"payload/by", 1001, []domain.Record{
			{At: 1764000000123456, By: "gateway", Events: []domain.Event{
				&domain.ContactCreated{ID: 300, Source: 3, Lead: 200, Text: "Hello", Priority: 2, Key: goldenKey()}, alone,
			}},
			{At: 1764000000123457, By: "ann", Events: []domain.Event{
				&domain.ContactClosed{ID: 300, Source: 3, Operator: 12, Reason: "sold"},
			}},
		}},
	}
}

func TestGolden(t *testing.T) {
	if *update {
		addGoldens(t)
	}
	want := readGoldens(t)
	for _, p := range goldenPayloads() {
		if got := payloadOf(p.first, p.records...); !bytes.Equal(got, want[p.name]) {
			t.Errorf("%s is written as\n%x\ninstead of\n%x", p.name, got, want[p.name])
		}
		if got, err := recordsOf(p.first, want[p.name]); err != nil || !reflect.DeepEqual(got, p.records) {
			t.Errorf("%s is read as %s, %v", p.name, show(got), err)
		}
		delete(want, p.name)
	}
	for _, g := range goldens() {
		if got := eventBytes(g.event); !bytes.Equal(got, want[g.name]) {
			t.Errorf("%s is written as\n%x\ninstead of\n%x", g.name, got, want[g.name])
		}
		c := coder{reading: true, buf: want[g.name], end: len(want[g.name])}
		var got domain.Event
		event(&c, &got)
		if c.finish(); c.err != nil || !reflect.DeepEqual(got, g.event) {
			t.Errorf("%s is read as %+v, %v", g.name, got, c.err)
		}
		delete(want, g.name)
	}
	for name := range want {
		t.Errorf("%s: nothing checks %q any more", goldenFile, name)
	}
}

func eventBytes(e domain.Event) []byte {
	var c coder
	event(&c, &e)
	return c.buf
}

func TestGoldensAreComplete(t *testing.T) {
	have := map[string]bool{}
	for _, g := range goldens() {
		have[kindName(g.event)] = true
		if a, ok := g.event.(*domain.ContactAssigned); ok {
			have[fmt.Sprintf("SetKind %d", a.Among.Kind)] = true
		}
	}
	for _, e := range eventKinds() {
		if !have[kindName(e)] {
			t.Errorf("no golden bytes of %s", kindName(e))
		}
	}
	for _, kind := range enumNumbers(reflect.TypeFor[domain.SetKind]()) {
		if !have[fmt.Sprintf("SetKind %d", kind)] {
			t.Errorf("no golden bytes of SetKind %d", kind)
		}
	}
}

func readGoldens(t *testing.T) map[string][]byte {
	t.Helper()
	file, err := os.ReadFile(goldenFile)
	if err != nil {
		t.Fatal(err)
	}
	goldens := map[string][]byte{}
	for line := range strings.Lines(string(file)) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		name, digits, _ := strings.Cut(line, ": ")
		b, err := hex.DecodeString(strings.NewReplacer(" ", "", ",", "", "(", "", ")", "").Replace(digits))
		if _, twice := goldens[name]; err != nil || twice {
			t.Fatalf("%s: %q: twice, or no hex: %v", goldenFile, line, err)
		}
		goldens[name] = b
	}
	return goldens
}

// addGoldens adds the lines that the file does not have yet.
func addGoldens(t *testing.T) {
	t.Helper()
	have := readGoldens(t)
	var lines bytes.Buffer
	comment := func(indent string, e domain.Event) {
		values, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&lines, "#%s%s %s\n", indent, kindName(e), values)
	}
	for _, p := range goldenPayloads() {
		if have[p.name] != nil {
			continue
		}
		for i, r := range p.records {
			fmt.Fprintf(&lines, "\n# record %d at %d by %q\n", p.first+uint64(i), r.At, r.By)
			for _, e := range r.Events {
				comment("   ", e)
			}
		}
		b := payloadOf(p.first, p.records...)
		fmt.Fprintf(&lines, "%s: %02x %s\n", p.name, b[0], dump(b[1:], (&journalpb.Group{}).ProtoReflect().Descriptor()))
	}
	for _, g := range goldens() {
		if have[g.name] == nil {
			lines.WriteString("\n")
			comment(" ", g.event)
			fmt.Fprintf(&lines, "%s: %s\n", g.name, dump(eventBytes(g.event), (&journalpb.Event{}).ProtoReflect().Descriptor()))
		}
	}
	file, err := os.ReadFile(goldenFile)
	if err == nil {
		err = os.WriteFile(goldenFile, append(file, lines.Bytes()...), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// dump writes a message's bytes so that a person can tell its fields.
func dump(b []byte, m protoreflect.MessageDescriptor) string {
	var fields []string
	for len(b) > 0 {
		number, typ, tag := protowire.ConsumeTag(b)
		size := protowire.ConsumeFieldValue(number, typ, b[tag:])
		field, value := fmt.Sprintf("%x ", b[:tag]), b[tag:tag+size]
		if typ == protowire.BytesType {
			content, _ := protowire.ConsumeBytes(value)
			field += fmt.Sprintf("%x ", value[:size-len(content)])
			value = content
		}
		if inner := m.Fields().ByNumber(number).Message(); inner != nil {
			field += "(" + dump(value, inner) + ")"
		} else {
			field += fmt.Sprintf("%x", value)
		}
		fields = append(fields, strings.TrimSpace(field))
		b = b[tag+size:]
	}
	return strings.Join(fields, ", ")
}
