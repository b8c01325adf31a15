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

const goldenHeader = `# The journal's bytes, as they are on people's disks. A line that changes here is a journal that no longer starts:
# lines are added, and none is ever changed.
#
# Two letters are a byte. A field is its tag and its value, or its tag, its length and its bytes; a message's fields are
# in brackets. First a whole payload, behind its version, and then the message Event of each kind of event.
`

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
	}
}

// goldenPayload is a whole payload: two records, the first with two events.
func goldenPayload() (first uint64, records []domain.Record) {
	return 1001, []domain.Record{
		{At: 1764000000123456, Events: []domain.Event{
			&domain.ContactCreated{ID: 300, Source: 3, Lead: 200, Text: "Hello"},
			&domain.ContactAssigned{ID: 300, Source: 3, Operator: 12, How: domain.Automatic, Among: domain.Among{Kind: domain.Alone}},
		}},
		{At: 1764000000123457, Events: []domain.Event{&domain.ContactClosed{ID: 300, Source: 3, Operator: 12}}},
	}
}

func TestGolden(t *testing.T) {
	if *update {
		if err := os.WriteFile(goldenFile, goldenText(t), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want := readGoldens(t)
	first, records := goldenPayload()
	if got := payloadOf(first, records...); !bytes.Equal(got, want["payload"]) {
		t.Errorf("the payload is written as\n%x\ninstead of\n%x", got, want["payload"])
	}
	if got, err := recordsOf(first, want["payload"]); err != nil || !reflect.DeepEqual(got, records) {
		t.Errorf("the payload is read as %s, %v", show(got), err)
	}
	delete(want, "payload")
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

// goldenText is the file as the codec would have it.
func goldenText(t *testing.T) []byte {
	t.Helper()
	var file bytes.Buffer
	comment := func(indent string, e domain.Event) {
		values, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&file, "#%s%s %s\n", indent, kindName(e), values)
	}
	file.WriteString(goldenHeader)
	first, records := goldenPayload()
	for i, r := range records {
		fmt.Fprintf(&file, "\n# record %d at %d\n", first+uint64(i), r.At)
		for _, e := range r.Events {
			comment("   ", e)
		}
	}
	b := payloadOf(first, records...)
	fmt.Fprintf(&file, "payload: %02x %s\n", b[0], dump(b[1:], (&journalpb.Group{}).ProtoReflect().Descriptor()))
	for _, g := range goldens() {
		file.WriteString("\n")
		comment(" ", g.event)
		fmt.Fprintf(&file, "%s: %s\n", g.name, dump(eventBytes(g.event), (&journalpb.Event{}).ProtoReflect().Descriptor()))
	}
	return file.Bytes()
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
