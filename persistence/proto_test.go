package persistence

import (
	"reflect"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"pgregory.net/rapid"

	"minicrm/domain"
	"minicrm/persistence/journalpb"
)

// The second way from package domain to bytes, against which the codec is tested: field by field by name into the
// generated messages, and from there through protobuf's own code.

func toProto(t rapid.TB, first uint64, records []domain.Record) *journalpb.Group {
	t.Helper()
	g := &journalpb.Group{First: first}
	for _, r := range records {
		pb := &journalpb.Record{At: int64(r.At), By: r.By}
		for _, e := range r.Events {
			pb.Events = append(pb.Events, eventToProto(t, e))
		}
		g.Records = append(g.Records, pb)
	}
	return g
}

func eventToProto(t rapid.TB, e domain.Event) *journalpb.Event {
	t.Helper()
	pb := &journalpb.Event{}
	m := pb.ProtoReflect()
	kind := m.Descriptor().Fields().ByName(protoreflect.Name(protoName(kindName(e))))
	if kind == nil {
		t.Fatalf("journal.proto's Event has no %s", kindName(e))
	}
	structToProto(t, m.Mutable(kind).Message(), reflect.ValueOf(e).Elem())
	return pb
}

func structToProto(t rapid.TB, m protoreflect.Message, s reflect.Value) {
	t.Helper()
	for i := range s.NumField() {
		name := s.Type().Field(i).Name
		field := m.Descriptor().Fields().ByName(protoreflect.Name(protoName(name)))
		if field == nil {
			t.Fatalf("journal.proto's %s has no field for %s", m.Descriptor().Name(), name)
		}
		if v := s.Field(i); !v.IsZero() {
			setProto(t, m, field, v)
		}
	}
}

func setProto(t rapid.TB, m protoreflect.Message, field protoreflect.FieldDescriptor, v reflect.Value) {
	t.Helper()
	switch v.Kind() {
	case reflect.Struct:
		structToProto(t, m.Mutable(field).Message(), v)
	case reflect.Int, reflect.Int64:
		m.Set(field, protoreflect.ValueOfInt64(v.Int()))
	case reflect.Uint64:
		m.Set(field, protoreflect.ValueOfUint64(v.Uint()))
	case reflect.Array:
		digest, _ := v.Interface().([16]byte)
		m.Set(field, protoreflect.ValueOfBytes(digest[:]))
	case reflect.Uint8:
		if field.Kind() == protoreflect.Uint32Kind {
			m.Set(field, protoreflect.ValueOfUint32(uint32(v.Uint())))
			return
		}
		m.Set(field, protoreflect.ValueOfEnum(protoreflect.EnumNumber(v.Uint())))
	case reflect.Bool:
		m.Set(field, protoreflect.ValueOfBool(v.Bool()))
	case reflect.String:
		m.Set(field, protoreflect.ValueOfString(v.String()))
	case reflect.Pointer:
		setProto(t, m, field, v.Elem())
	case reflect.Slice:
		list := m.Mutable(field).List()
		for i := range v.Len() {
			if item := v.Index(i); item.CanInt() {
				list.Append(protoreflect.ValueOfInt64(item.Int()))
			} else {
				list.Append(protoreflect.ValueOfUint64(item.Uint()))
			}
		}
	default:
		t.Fatalf("extend the tests of the codec: %s is a %v", field.Name(), v.Type())
	}
}

// protoPayload is the payload that protobuf's generated code makes of records.
func protoPayload(t rapid.TB, first uint64, records []domain.Record) []byte {
	t.Helper()
	b, err := proto.MarshalOptions{Deterministic: true}.MarshalAppend([]byte{formatVersion}, toProto(t, first, records))
	if err != nil {
		t.Fatalf("marshal: %v", err)
	}
	return b
}
