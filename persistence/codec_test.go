package persistence

import (
	"bytes"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"minicrm/domain"
)

// payloadOf is the payload that the codec makes of records.
func payloadOf(first uint64, records ...domain.Record) []byte {
	var g group
	for i, r := range records {
		g.add(first+uint64(i), r)
	}
	return g.payload()
}

// recordsOf reads a payload whose first record has this index, spoils it, and only then returns the records: they must
// not point into it.
func recordsOf(first uint64, payload []byte) ([]domain.Record, error) {
	payload = bytes.Clone(payload)
	got, records, err := readGroup(payload)
	if err == nil && got != first {
		err = fmt.Errorf("it begins with record %d instead of %d", got, first)
	}
	for i := range payload {
		payload[i] = 0xee
	}
	return records, err
}

// TestCodecAgainstProtobuf: the codec's bytes are those of protobuf's generated code, and are read back to the same.
func TestCodecAgainstProtobuf(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		first := rapid.Uint64Min(1).Draw(t, "first")
		records := rapid.SliceOfN(rapid.Custom(anyRecord), 1, 5).Draw(t, "records")
		checkCodec(t, first, records...)
	})
}

// TestCodecFieldByField does not leave it to chance that each field is seen: it sets one at a time, to telling values.
func TestCodecFieldByField(t *testing.T) {
	for _, kind := range eventKinds() {
		structure := reflect.TypeOf(kind).Elem()
		checkCodec(t, 1, domain.Record{Events: []domain.Event{kind}})
		for field := range structure.Fields() {
			for _, value := range tellingValues(t, field.Type) {
				e := reflect.New(structure)
				e.Elem().FieldByIndex(field.Index).Set(value)
				checkCodec(t, 1, domain.Record{Events: []domain.Event{e.Interface().(domain.Event)}})
			}
		}
	}
}

// tellingValues are values of a field other than its zero.
func tellingValues(t *testing.T, typ reflect.Type) (values []reflect.Value) {
	add := func(v any) { values = append(values, reflect.ValueOf(v).Convert(typ)) }
	switch typ.Kind() {
	case reflect.Int, reflect.Int64:
		for _, n := range []int64{1, 127, 128, -1, math.MaxInt64, math.MinInt64} {
			add(n)
		}
	case reflect.Uint64:
		for _, n := range []uint64{1, 127, 128, math.MaxUint64} {
			add(n)
		}
	case reflect.Array:
		add([16]byte{15: 1})
		add([16]byte{1, 0, 0xff})
	case reflect.Uint8:
		for _, n := range enumNumbers(typ)[1:] {
			add(n)
		}
	case reflect.Bool:
		add(true)
	case reflect.String:
		for _, s := range []string{"x", "Zoë ✓", "\xff\x00", strings.Repeat("long ", 4000)} {
			add(s)
		}
	case reflect.Pointer:
		for _, s := range []string{"", "x"} {
			add(&s)
		}
	case reflect.Slice:
		if typ.Elem().Kind() == reflect.Int64 {
			add(make([]domain.ContactID, 200))
			add([]domain.ContactID{0, 127, 128, -1, math.MaxInt64, math.MinInt64})
			break
		}
		add([]uint64{1})
		add([]uint64{0, math.MaxUint64, 7})
	case reflect.Struct:
		for inner := range typ.Fields() {
			for _, value := range tellingValues(t, inner.Type) {
				outer := reflect.New(typ).Elem()
				outer.FieldByIndex(inner.Index).Set(value)
				values = append(values, outer)
			}
		}
	default:
		t.Fatalf("extend the tests of the codec: a field is a %v", typ)
	}
	return values
}

func checkCodec(t rapid.TB, first uint64, records ...domain.Record) {
	t.Helper()
	got := payloadOf(first, records...)
	if want := protoPayload(t, first, records); !bytes.Equal(got, want) {
		t.Fatalf("%s\nis written as\n%x\nand protobuf writes\n%x", show(records), got, want)
	}
	back, err := recordsOf(first, got)
	if err != nil {
		t.Fatalf("%s\nis not read back: %v", show(records), err)
	}
	if !reflect.DeepEqual(back, records) {
		t.Fatalf("%s\nis read back as\n%s", show(records), show(back))
	}
}

func show(records []domain.Record) string {
	var b strings.Builder
	for _, r := range records {
		fmt.Fprintf(&b, "at %d by %q:", r.At, r.By)
		for _, e := range r.Events {
			fmt.Fprintf(&b, " %s%+v", kindName(e), reflect.ValueOf(e).Elem())
		}
		b.WriteString("; ")
	}
	return b.String()
}

// TestWriteRefusesWhatNobodyCouldRead: it panics, and leaves the group as it was.
func TestWriteRefusesWhatNobodyCouldRead(t *testing.T) {
	bad := map[string][]domain.Event{
		"no events":     nil,
		"a nil event":   {nil},
		"a bad How":     {&domain.ContactCreated{ID: 1}, &domain.ContactAssigned{How: domain.Sticky + 1}},
		"a bad SetKind": {&domain.ContactAssigned{Among: domain.Among{Kind: domain.SpelledSet + 1}}},
		"a bad policy":  {&domain.SourceChanged{Backlog: domain.BacklogManual + 1}},
		"no priority":   {&domain.ContactPrioritised{ID: 1, Priority: domain.MaxPriority + 1}},
	}
	good := domain.Record{At: 5, Events: []domain.Event{&domain.ContactCreated{ID: 9, Source: 8, Lead: 7, Text: "good"}}}
	for name, events := range bad {
		t.Run(name, func(t *testing.T) {
			var g group
			g.add(1, good)
			func() {
				defer func() {
					if recover() == nil {
						t.Error("no panic")
					}
				}()
				g.add(2, domain.Record{At: 6, Events: events})
			}()
			g.add(2, good)
			if want := payloadOf(1, good, good); !bytes.Equal(g.payload(), want) {
				t.Errorf("afterwards the group is\n%x\ninstead of\n%x", g.payload(), want)
			}
		})
	}
}

func TestAddAllocatesNothing(t *testing.T) {
	var g group
	r := assigned()
	r.By = "gateway"
	created := *r.Events[0].(*domain.ContactCreated)
	created.Priority, created.Key = 3, domain.Key{Digest: [16]byte{1}, Body: 2}
	r.Events = []domain.Event{&created, r.Events[1], &domain.ContactReleased{ID: 1, Operator: 2}, &domain.ContactClosed{ID: 1, Reason: "sold"}}
	allocs := testing.AllocsPerRun(1000, func() {
		g.clear()
		g.add(1, r)
	})
	if allocs != 0 {
		t.Errorf("adding a record allocates %v times", allocs)
	}
}

// assigned is the record of most contacts.
func assigned() domain.Record {
	return domain.Record{At: 1764000000123456, Events: []domain.Event{
		&domain.ContactCreated{
			ID: 1234567, Source: 3, Lead: 654321,
			Text: "Hello, I would like to know whether the red one is in stock.",
		},
		&domain.ContactAssigned{
			ID: 1234567, Source: 3, Operator: 12, How: domain.Automatic, Among: domain.Among{Kind: domain.SameSet},
		},
	}}
}
