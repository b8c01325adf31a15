package persistence

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"
	"pgregory.net/rapid"

	"minicrm/domain"
	"minicrm/persistence/journalpb"
)

// The tests of the codec know no event's fields: they take them from package domain by reflection, and the fields of
// journal.proto by its descriptor. What domain has and journal.proto or the codec has not therefore fails. The one list
// that is kept by hand is this one, and TestEventKindsAreComplete compares it with domain's source.
func eventKinds() []domain.Event {
	return []domain.Event{
		&domain.ContactCreated{},
		&domain.ContactAssigned{},
		&domain.ContactClosed{},
		&domain.LeadCreated{},
		&domain.LeadChanged{},
		&domain.ContactsArchived{},
		&domain.LeadErased{},
		&domain.ContactReleased{},
		&domain.ContactReopened{},
		&domain.ContactPrioritised{},
		&domain.OperatorDrawn{},
		&domain.OperatorCreated{},
		&domain.OperatorChanged{},
		&domain.SourceCreated{},
		&domain.SourceChanged{},
		&domain.LinkSet{},
		&domain.LinkRemoved{},
		&domain.OperatorDeleted{},
		&domain.SourceDeleted{},
	}
}

// enumTypes are domain's types that journal.proto has as enums, under the same names.
func enumTypes() []string { return []string{"BacklogPolicy", "How", "SetKind"} }

func kindName(e domain.Event) string { return reflect.TypeOf(e).Elem().Name() }

func TestEventKindsAreComplete(t *testing.T) {
	pkg := domainSource(t)
	var inSource, listed []string
	for _, name := range pkg.Scope().Names() {
		typ, isType := pkg.Scope().Lookup(name).(*types.TypeName)
		if !isType || types.IsInterface(typ.Type()) {
			continue
		}
		marker := types.NewMethodSet(types.NewPointer(typ.Type())).Lookup(pkg, "event")
		if marker != nil && marker.Type().(*types.Signature).Params().Len() == 0 {
			inSource = append(inSource, name)
		}
	}
	for _, e := range eventKinds() {
		listed = append(listed, kindName(e))
	}
	slices.Sort(listed)
	if !slices.Equal(inSource, listed) {
		t.Errorf("package domain has the events\n%v\nand eventKinds lists\n%v", inSource, listed)
	}
	var inProto []string
	fields := (&journalpb.Event{}).ProtoReflect().Descriptor().Fields()
	for i := range fields.Len() {
		inProto = append(inProto, string(fields.Get(i).Message().Name()))
		if got, want := string(fields.Get(i).Name()), protoName(inProto[i]); got != want {
			t.Errorf("journal.proto: %s is called %s in Event, not %s", inProto[i], got, want)
		}
	}
	slices.Sort(inProto)
	if !slices.Equal(inSource, inProto) {
		t.Errorf("package domain has the events\n%v\nand journal.proto\n%v", inSource, inProto)
	}
}

// TestFieldsAreComplete looks from journal.proto to domain; every other test of the codec looks the other way.
func TestFieldsAreComplete(t *testing.T) {
	structs := []reflect.Type{reflect.TypeFor[domain.Record](), reflect.TypeFor[domain.Among](), reflect.TypeFor[domain.Key]()}
	for _, e := range eventKinds() {
		structs = append(structs, reflect.TypeOf(e).Elem())
	}
	for _, s := range structs {
		var inDomain, inProto []string
		for f := range s.Fields() {
			inDomain = append(inDomain, protoName(f.Name))
		}
		m := journalpb.File_journal_proto.Messages().ByName(protoreflect.Name(s.Name()))
		if m == nil {
			t.Errorf("journal.proto has no message %s", s.Name())
			continue
		}
		for i := range m.Fields().Len() {
			inProto = append(inProto, string(m.Fields().Get(i).Name()))
		}
		slices.Sort(inDomain)
		slices.Sort(inProto)
		if !slices.Equal(inDomain, inProto) {
			t.Errorf("%s has the fields %v in package domain, and %v in journal.proto", s.Name(), inDomain, inProto)
		}
	}
}

func TestEnumsAreComplete(t *testing.T) {
	pkg := domainSource(t)
	for _, name := range enumTypes() {
		inDomain := map[protoreflect.EnumNumber]string{}
		for _, id := range pkg.Scope().Names() {
			c, isConst := pkg.Scope().Lookup(id).(*types.Const)
			if !isConst || types.TypeString(c.Type(), types.RelativeTo(pkg)) != name {
				continue
			}
			n, exact := constant.Int64Val(c.Val())
			if !exact {
				t.Fatalf("%s is no number", id)
			}
			short := protoName(strings.TrimPrefix(id, "Backlog"))
			inDomain[protoreflect.EnumNumber(n)] = strings.ToUpper(protoName(name) + "_" + short)
		}
		inProto := map[protoreflect.EnumNumber]string{}
		values := journalpb.File_journal_proto.Enums().ByName(protoreflect.Name(name)).Values()
		for i := range values.Len() {
			if v := values.Get(i); !strings.HasSuffix(string(v.Name()), "_UNSPECIFIED") {
				inProto[v.Number()] = string(v.Name())
			}
		}
		if len(inDomain) == 0 || !maps.Equal(inDomain, inProto) {
			t.Errorf("%s has the values %v in package domain, and %v in journal.proto", name, inDomain, inProto)
		}
	}
}

// domainSource is package domain as its source says, with all that an import does not show. What it imports is not
// loaded, so the errors about that are of no interest.
func domainSource(t *testing.T) *types.Package {
	t.Helper()
	names, err := filepath.Glob("../domain/*.go")
	if err != nil || len(names) == 0 {
		t.Fatalf("find the source of package domain: %v", err)
	}
	fset := token.NewFileSet()
	var files []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(fset, name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	config := types.Config{Importer: noImports{}, Error: func(error) {}}
	pkg, _ := config.Check("minicrm/domain", fset, files, nil)
	return pkg
}

type noImports struct{}

func (noImports) Import(string) (*types.Package, error) { return nil, fmt.Errorf("not loaded") }

// protoName is how journal.proto spells a name of package domain: ID is id, MaxLoad is max_load.
func protoName(name string) string {
	return strings.ToLower(regexp.MustCompile(`([a-z0-9])([A-Z])`).ReplaceAllString(name, "${1}_$2"))
}

// anyRecord draws a record with 1 to 4 events of any kind, with every field.
func anyRecord(t *rapid.T) domain.Record {
	r := domain.Record{At: domain.Time(rapid.Int64().Draw(t, "at")), By: anyText().Draw(t, "by")}
	for range rapid.IntRange(1, 4).Draw(t, "events") {
		r.Events = append(r.Events, anyEvent(t))
	}
	return r
}

func anyEvent(t *rapid.T) domain.Event {
	kind := rapid.SampledFrom(eventKinds()).Draw(t, "kind")
	e := reflect.New(reflect.TypeOf(kind).Elem())
	fill(t, e.Elem(), e.Type().Elem().Name())
	return e.Interface().(domain.Event)
}

func fill(t *rapid.T, v reflect.Value, name string) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(t, v.Field(i), v.Type().Field(i).Name)
		}
	case reflect.Int, reflect.Int64:
		v.SetInt(rapid.Int64().Draw(t, name))
	case reflect.Uint64:
		v.SetUint(rapid.Uint64().Draw(t, name))
	case reflect.Uint8:
		v.SetUint(rapid.SampledFrom(enumNumbers(v.Type())).Draw(t, name))
	case reflect.Bool:
		v.SetBool(rapid.Bool().Draw(t, name))
	case reflect.String:
		v.SetString(anyText().Draw(t, name))
	case reflect.Pointer:
		if rapid.Bool().Draw(t, name+" is there") {
			v.Set(reflect.New(v.Type().Elem()))
			fill(t, v.Elem(), name)
		}
	case reflect.Array:
		for i := range v.Len() {
			v.Index(i).SetUint(uint64(rapid.Byte().Draw(t, name)))
		}
	case reflect.Slice:
		for range rapid.IntRange(0, 16).Draw(t, name+" length") {
			v.Set(reflect.Append(v, reflect.Zero(v.Type().Elem())))
			fill(t, v.Index(v.Len()-1), name)
		}
	default:
		t.Fatalf("extend the tests of the codec: %s is a %v", name, v.Type())
	}
}

// anyText draws text, bytes that are none, and lengths that take one, two and three bytes to write.
func anyText() *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.String(),
		rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, 20), func(b []byte) string { return string(b) }),
		rapid.Map(rapid.SampledFrom([]int{100, 127, 128, 8192, 16383, 16384, 20000}), func(n int) string {
			return strings.Repeat("x", n)
		}),
	)
}

// enumNumbers are the values of a type of enumTypes, or of a priority, which has no type of its own.
func enumNumbers(typ reflect.Type) (numbers []uint64) {
	if typ == reflect.TypeFor[uint8]() {
		for n := range uint64(domain.MaxPriority + 1) {
			numbers = append(numbers, n)
		}
		return numbers
	}
	values := journalpb.File_journal_proto.Enums().ByName(protoreflect.Name(typ.Name())).Values()
	for i := range values.Len() {
		numbers = append(numbers, uint64(values.Get(i).Number()))
	}
	return numbers
}
