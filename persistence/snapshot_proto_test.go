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
		checkItem(t, &snapshotpb.Lead{}, lead, "contacts")
		checkItem(t, &snapshotpb.Contact{}, contact)
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
	if have, want := m.Fields().Len(), s.NumField()-len(derived); have != want {
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
		case f.Kind() == reflect.Uint32:
			f.SetUint(uint64(rapid.Uint32().Draw(t, name)))
		default:
			fill(t, f, name)
		}
	}
}

func frozenToProto(t rapid.TB, m protoreflect.Message, s reflect.Value, derived []string) {
	for i := range s.NumField() {
		name, v := s.Type().Field(i).Name, s.Field(i)
		if isDerived(name, derived) {
			continue
		}
		field := m.Descriptor().Fields().ByName(protoreflect.Name(protoName(name)))
		switch {
		case field == nil:
			t.Fatalf("snapshot.proto's %s has no field for %s", m.Descriptor().Name(), name)
		case v.Kind() == reflect.Struct:
			// A message is there even when it is empty: the walks write it.
			frozenToProto(t, m.Mutable(field).Message(), v, nil)
		case v.Type() == reflect.TypeFor[[]domain.Link]():
			list := m.Mutable(field).List()
			for k := range v.Len() {
				link := list.NewElement()
				frozenToProto(t, link.Message(), v.Index(k), nil)
				list.Append(link)
			}
		case v.Kind() == reflect.Uint32 && !v.IsZero():
			m.Set(field, protoreflect.ValueOfUint32(uint32(v.Uint())))
		case !v.IsZero():
			setProto(t, m, field, v)
		}
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
	must(t, frames(bytes.NewReader(file), int64(len(file)), func(n int) []byte { return make([]byte, n) }, func(f frame) error {
		raw, err := decoder.DecodeAll(f.data, make([]byte, 0, f.raw))
		must(t, err)
		var pb snapshotpb.Block
		must(t, proto.Unmarshal(raw, &pb))
		if len(pb.ProtoReflect().GetUnknown()) > 0 {
			t.Errorf("snapshot.proto does not know all of the block at offset %d", f.offset)
		}
		kinds = append(kinds, pb.ProtoReflect().WhichOneof(pb.ProtoReflect().Descriptor().Oneofs().Get(0)).Number())
		for _, n := range pb.GetContacts().GetContacts() {
			contacts = append(contacts, domain.ContactID(n.GetId()))
		}
		return nil
	}))
	want := []protowire.Number{blockHeader, blockOperators, blockSources, blockLeads, blockContacts, blockEnd}
	if !reflect.DeepEqual(kinds, want) || len(contacts) != h.counts.contacts || len(contacts) == 0 {
		t.Errorf("protobuf reads blocks %v with %d contacts", kinds, len(contacts))
	}
	i := 0
	for n := range c.Freeze().Contacts() {
		if n.ID != contacts[i] {
			t.Fatalf("contact %d is at place %d, where protobuf reads %d", n.ID, i, contacts[i])
		}
		i++
	}
}
