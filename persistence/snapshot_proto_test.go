package persistence

import (
	"bytes"
	"reflect"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"pgregory.net/rapid"

	"minicrm/domain"
	"minicrm/persistence/snapshotpb"
)

// TestSnapshotCodecAgainstProtobuf: the bytes of each item are those of protobuf's generated code, and are read back to
// the same. Fields go by name, so one that domain has and snapshot.proto or a walk has not fails.
func TestSnapshotCodecAgainstProtobuf(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		checkItem(t, &snapshotpb.Operator{}, operator, "Load")
		checkItem(t, &snapshotpb.FrozenSource{}, frozenSource)
		checkItem(t, &snapshotpb.Lead{}, lead)
		checkItem(t, &snapshotpb.Contact{}, contact)
		checkItem(t, &snapshotpb.Step{}, step)
		checkItem(t, &snapshotpb.KeyUse{}, keyUse)
		checkItem(t, &snapshotpb.Out{}, out)
		checkItem(t, &snapshotpb.Name{}, func(c *coder, n *struct{ Name string }) { name(c, &n.Name) })
		checkItem(t, &snapshotpb.Progress{}, progress)
		checkItem(t, &snapshotpb.ArchivedRun{}, archivedRun)
	})
}

// checkItem draws an item; derived are its fields that a snapshot does not have.
func checkItem[T any](t *rapid.T, pb proto.Message, walk func(*coder, *T), derived ...string) {
	var item, back T
	fillFrozen(t, reflect.ValueOf(&item).Elem(), derived)
	frozenToProto(t, pb.ProtoReflect(), reflect.ValueOf(item), derived)
	var c coder
	walk(&c, &item)
	want, err := proto.MarshalOptions{Deterministic: true}.Marshal(pb)
	if err != nil || !bytes.Equal(c.buf, want) {
		t.Fatalf("%+v\nis written as\n%x\nand protobuf writes\n%x, %v", item, c.buf, want, err)
	}
	c = coder{reading: true, buf: c.buf, end: len(c.buf)}
	walk(&c, &back)
	if c.finish(); c.err != nil || !reflect.DeepEqual(back, item) {
		t.Fatalf("%+v\nis read back as\n%+v, %v", item, back, c.err)
	}
	checkFields(t, pb.ProtoReflect().Descriptor(), reflect.TypeFor[T](), derived)
}

// checkFields looks from snapshot.proto to domain.
func checkFields(t rapid.TB, m protoreflect.MessageDescriptor, s reflect.Type, derived []string) {
	want := -len(derived)
	for _, f := range reflect.VisibleFields(s) {
		if !f.Anonymous {
			want++
		}
	}
	if have := m.Fields().Len(); have != want {
		t.Fatalf("%s has %d fields in snapshot.proto, and %d in package domain", m.Name(), have, want)
	}
}

func isDerived(name string, derived []string) bool {
	for _, d := range derived {
		if d == name {
			return true
		}
	}
	return false
}

func fillFrozen(t *rapid.T, v reflect.Value, derived []string) {
	for i := range v.NumField() {
		name := v.Type().Field(i).Name
		switch f := v.Field(i); {
		case isDerived(name, derived):
		case f.Kind() == reflect.Struct:
			fillFrozen(t, f, nil)
		case f.Type() == reflect.TypeFor[[]domain.Link]():
			for range rapid.IntRange(0, 3).Draw(t, name) {
				link := reflect.New(f.Type().Elem()).Elem()
				fillFrozen(t, link, nil)
				f.Set(reflect.Append(f, link))
			}
		case f.Type() == reflect.TypeFor[domain.Status]():
			f.SetUint(rapid.Uint64Range(0, uint64(domain.StatusClosed)).Draw(t, name))
		case f.Type() == reflect.TypeFor[domain.StepKind]():
			f.SetUint(rapid.Uint64Range(0, uint64(domain.StepClosed)).Draw(t, name))
		case f.Type() == reflect.TypeFor[*[]domain.Step]():
			v.Addr().Interface().(*domain.Contact).SetPast(anySteps(t))
		case f.Kind() == reflect.Uint32:
			f.SetUint(uint64(rapid.Uint32().Draw(t, name)))
		default:
			fill(t, f, name)
		}
	}
}

func anySteps(t *rapid.T) (steps []domain.Step) {
	for range rapid.IntRange(0, 3).Draw(t, "steps") {
		var s domain.Step
		fillFrozen(t, reflect.ValueOf(&s).Elem(), nil)
		steps = append(steps, s)
	}
	return steps
}

func frozenToProto(t rapid.TB, m protoreflect.Message, s reflect.Value, derived []string) {
	for i := range s.NumField() {
		name, v := s.Type().Field(i).Name, s.Field(i)
		if isDerived(name, derived) {
			continue
		}
		field := m.Descriptor().Fields().ByName(protoreflect.Name(protoName(name)))
		switch {
		case s.Type().Field(i).Anonymous:
			frozenToProto(t, m, v, nil)
		case field == nil:
			t.Fatalf("snapshot.proto's %s has no field for %s", m.Descriptor().Name(), name)
		case v.Kind() == reflect.Struct:
			// A message is there even when it is empty: the walks write it.
			frozenToProto(t, m.Mutable(field).Message(), v, nil)
		case v.Type() == reflect.TypeFor[[]domain.Link]():
			frozenList(t, m.Mutable(field).List(), v)
		case v.Type() == reflect.TypeFor[*[]domain.Step]():
			if !v.IsNil() {
				frozenList(t, m.Mutable(field).List(), v.Elem())
			}
		case v.Kind() == reflect.Uint32 && !v.IsZero():
			m.Set(field, protoreflect.ValueOfUint32(uint32(v.Uint())))
		case !v.IsZero():
			setProto(t, m, field, v)
		}
	}
}

func frozenList(t rapid.TB, list protoreflect.List, items reflect.Value) {
	for i := range items.Len() {
		item := list.NewElement()
		frozenToProto(t, item.Message(), items.Index(i), nil)
		list.Append(item)
	}
}

// TestBlocksAgainstProtobuf: what protobuf reads of the blocks of a real snapshot has all of its items, in their order.
func TestBlocksAgainstProtobuf(t *testing.T) {
	file := smallSnapshot(t)
	c, h, err := readSnapshot(bytes.NewReader(file), int64(len(file)), func(int64) {})
	must(t, err)
	decoder, err := newDecoder()
	must(t, err)
	defer decoder.Close()
	var kinds []protowire.Number
	var contacts []domain.ContactID
	var have counts
	must(t, frames(bytes.NewReader(file), int64(len(file)), func(n int) []byte { return make([]byte, n) }, func(f frame) error {
		raw, err := decoder.DecodeAll(f.data, make([]byte, 0, f.raw))
		must(t, err)
		var pb snapshotpb.Block
		must(t, proto.Unmarshal(raw, &pb))
		if len(pb.ProtoReflect().GetUnknown()) > 0 {
			t.Errorf("snapshot.proto does not know all of the block at offset %d", f.offset)
		}
		kinds = append(kinds, pb.ProtoReflect().WhichOneof(pb.ProtoReflect().Descriptor().Oneofs().Get(0)).Number())
		have.operators += len(pb.GetOperators().GetOperators())
		have.sources += len(pb.GetSources().GetSources())
		have.leads += len(pb.GetLeads().GetLeads())
		have.contacts += len(pb.GetContacts().GetContacts())
		have.archived += len(pb.GetArchived().GetRuns())
		have.names += len(pb.GetNames().GetNames())
		have.keys += len(pb.GetKeys().GetKeys())
		have.trails += len(pb.GetTrails().GetParts())
		says := pb.GetEnd().GetCounts()
		if f.offset == int64(fileHeadSize) {
			says = pb.GetHeader().GetCounts()
		}
		if says != nil && h.counts != (counts{
			int(says.GetOperators()), int(says.GetSources()), int(says.GetLeads()), int(says.GetContacts()),
			int(says.GetArchived()), int(says.GetNames()), int(says.GetKeys()), int(says.GetTrails()),
		}) {
			t.Errorf("the counts are %+v, and protobuf reads %v", h.counts, says)
		}
		for _, n := range pb.GetContacts().GetContacts() {
			contacts = append(contacts, domain.ContactID(n.GetId()))
		}
		return nil
	}))
	want := []protowire.Number{
		blockHeader, blockOperators, blockSources, blockLeads, blockNames, blockContacts, blockArchived, blockKeys, blockTrails,
		blockEnd,
	}
	if !reflect.DeepEqual(kinds, want) || have != h.counts || len(contacts) == 0 {
		t.Errorf("protobuf reads blocks %v with %+v instead of %+v", kinds, have, h.counts)
	}
	i := 0
	for n := range c.Freeze().Contacts() {
		if n.ID != contacts[i] {
			t.Fatalf("contact %d is at place %d, where protobuf reads %d", n.ID, i, contacts[i])
		}
		i++
	}
}
