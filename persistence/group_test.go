package persistence

import (
	"bytes"
	"reflect"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"minicrm/domain"
	"minicrm/persistence/journalpb"
)

// fields puts a message together: a number takes a number, a string or message takes bytes.
func fields(all ...any) []byte {
	var b []byte
	for i := 0; i < len(all); i += 2 {
		number := protowire.Number(all[i].(int))
		switch v := all[i+1].(type) {
		case int:
			b = protowire.AppendTag(b, number, protowire.VarintType)
			b = protowire.AppendVarint(b, uint64(v))
		case []byte:
			b = protowire.AppendTag(b, number, protowire.BytesType)
			b = protowire.AppendBytes(b, v)
		}
	}
	return b
}

func TestReadRefuses(t *testing.T) {
	payload := func(all ...any) []byte { return append([]byte{formatVersion}, fields(all...)...) }
	record := func(all ...any) []byte { return payload(1, 1, 2, fields(all...)) }
	event := func(all ...any) []byte { return record(1, 9, 2, fields(all...)) }
	closed := fields(1, 7)
	cases := map[string]struct {
		payload []byte
		says    string
	}{
		"nothing":                   {nil, "the payload is empty"},
		"version 0":                 {append([]byte{0}, event(3, closed)[1:]...), "the format version is 0"},
		"version 2":                 {append([]byte{2}, event(3, closed)[1:]...), "the format version is 2"},
		"no first":                  {payload(2, fields(1, 9, 2, fields(3, closed))), "begins with record 0 instead of 1"},
		"a gap":                     {payload(1, 2, 2, fields(1, 9, 2, fields(3, closed))), "begins with record 2 instead of 1"},
		"no records":                {payload(1, 1), "has no records"},
		"no events":                 {record(1, 9), "a record has no events"},
		"an empty record":           {record(), "a record has no events"},
		"an event without a kind":   {event(), "there is no such event"},
		"an unknown event":          {event(15, closed), "field 15: there is no such event"},
		"two kinds in one event":    {event(3, closed, 3, closed), "field 3: it is unknown here"},
		"an unknown field":          {event(3, fields(1, 7, 9, 1)), "domain.ContactClosed: field 9: it is unknown here"},
		"an unknown field of group": {append(event(3, closed), fields(9, 1)...), "field 9: it is unknown here"},
		"a repeated field":          {event(3, fields(1, 7, 1, 8)), "field 1: it is unknown here"},
		"fields out of order":       {event(3, fields(2, 7, 1, 8)), "field 1: it is unknown here"},
		"a wrong wire type":         {event(3, fields(1, []byte("x"))), "field 1: its wire type is 2 instead of 0"},
		"an unknown enum value":     {event(2, fields(5, 5)), "there is no domain.How 5"},
		"an enum value over 255":    {event(2, fields(5, 257)), "there is no domain.How 257"},
		"a priority of 10":          {event(10, fields(3, 10)), "there is no uint8 10"},
		"a short digest":            {event(1, fields(6, fields(1, []byte("123456789012345")))), "is no digest"},
		"a long digest":             {event(1, fields(6, fields(1, []byte("12345678901234567")))), "is no digest"},
		"a digest of zeros":         {event(1, fields(6, fields(1, make([]byte, 16)))), "is no digest"},
		"a cut fixed number":        {event(1, fields(6, protowire.AppendTag(nil, 2, protowire.Fixed64Type))), "unexpected EOF"},
		"half a word":               {event(2, fields(6, fields(2, []byte("1234567")))), "7 bytes are no words of 8"},
		"a cut payload":             {event(3, closed)[:8], "unexpected EOF"},
		"a field number 0":          {append(event(3, closed), 0, 0), "invalid field number"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := recordsOf(1, c.payload)
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%x is read with the error %q instead of %q", c.payload, err, c.says)
			}
		})
	}
	if _, err := recordsOf(1, event(3, closed)); err != nil {
		t.Errorf("what the cases are made from is not read either: %v", err)
	}
}

// TestReadNamesTheRecord: whoever has to look into a journal learns where.
func TestReadNamesTheRecord(t *testing.T) {
	good := domain.Record{Events: []domain.Event{&domain.LinkRemoved{Source: 1, Operator: 2}}}
	payload := append(payloadOf(41, good, good), fields(2, fields(2, fields(2, fields(5, 9))))...)
	_, err := recordsOf(41, payload)
	const want = "record 43: decode: domain.Record: domain.Event: domain.ContactAssigned: field 5: there is no domain.How 9"
	if err == nil || err.Error() != want {
		t.Errorf("the error is %q instead of %q", err, want)
	}
}

// FuzzDecode reads any bytes: never a panic, and what is read is what protobuf reads, and is read again from its own bytes.
func FuzzDecode(f *testing.F) {
	const first = 1001
	for _, p := range goldenPayloads() {
		f.Add(payloadOf(first, p.records...))
	}
	for _, g := range goldens() {
		f.Add(payloadOf(first, domain.Record{At: 1, Events: []domain.Event{g.event}}))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		records, err := recordsOf(first, payload)
		if err != nil {
			return
		}
		var group journalpb.Group
		if err := proto.Unmarshal(payload[1:], &group); err != nil {
			t.Fatalf("protobuf refuses what the codec reads as %s: %v", show(records), err)
		}
		dropEmpty(&group)
		if want := toProto(t, first, records); !proto.Equal(&group, want) {
			t.Fatalf("the codec reads\n%v\nand protobuf\n%v", want, &group)
		}
		again, err := recordsOf(first, payloadOf(first, records...))
		if err != nil || !reflect.DeepEqual(again, records) {
			t.Fatalf("%s\nwritten and read again is\n%s, %v", show(records), show(again), err)
		}
	})
}

// dropEmpty makes absent what is there and empty: domain has one value for both.
func dropEmpty(g *journalpb.Group) {
	for _, r := range g.Records {
		for _, e := range r.Events {
			if a := e.GetContactAssigned(); a != nil && proto.Size(a.Among) == 0 {
				a.Among = nil
			}
			if d := e.GetOperatorDrawn(); d != nil && proto.Size(d.Among) == 0 {
				d.Among = nil
			}
			if c := e.GetContactCreated(); c != nil && proto.Size(c.Key) == 0 {
				c.Key = nil
			}
		}
	}
}

// TestReadOfDamage changes and cuts a payload everywhere: an error or other records, never a panic. (That damage never
// comes this far is the log's affair.)
func TestReadOfDamage(t *testing.T) {
	golden := goldenPayloads()[1]
	first, payload := golden.first, payloadOf(golden.first, golden.records...)
	for i := range payload {
		if _, err := recordsOf(first, payload[:i]); err == nil && !recordEndsAt(payload, i) {
			t.Errorf("cut to %d bytes it is read without an error", i)
		}
		for bit := range 8 {
			damaged := bytes.Clone(payload)
			damaged[i] ^= 1 << bit
			_, _ = recordsOf(first, damaged)
		}
	}
}

// recordEndsAt says whether a payload that is cut there is a payload of fewer records.
func recordEndsAt(payload []byte, cut int) bool {
	var g journalpb.Group
	return cut > 0 && proto.Unmarshal(payload[1:cut], &g) == nil && len(g.Records) > 0
}
