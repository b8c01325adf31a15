package domain

import (
	"fmt"
	"reflect"
	"strings"
)

// describe names an event or an entity by its type and ids. It leaves out all that people wrote: what an error says ends
// up in logs, and no log may hold personal data.
func describe(v any) string {
	value := reflect.Indirect(reflect.ValueOf(v))
	return value.Type().Name() + "{" + strings.Join(ids(value), " ") + "}"
}

func ids(value reflect.Value) (found []string) {
	for i := range value.NumField() {
		field, name := value.Field(i), value.Type().Field(i).Name
		if !field.CanInterface() {
			continue
		}
		switch id := field.Interface().(type) {
		case OperatorID, SourceID, LeadID, ContactID:
			found = append(found, fmt.Sprintf("%s:%d", name, id))
		default:
			if field.Kind() == reflect.Struct {
				found = append(found, ids(field)...)
			}
		}
	}
	return found
}

// difference names the fields in which two entities of one type differ, as far as others see them; "" = in none.
func difference[E any](a, b E) string {
	if reflect.DeepEqual(a, b) {
		return ""
	}
	va, vb := reflect.ValueOf(a), reflect.ValueOf(b)
	var fields []string
	for i := range va.NumField() {
		if va.Field(i).CanInterface() && !reflect.DeepEqual(va.Field(i).Interface(), vb.Field(i).Interface()) {
			fields = append(fields, va.Type().Field(i).Name)
		}
	}
	return fmt.Sprintf("%s and %s differ in %s", describe(a), describe(b), strings.Join(fields, ", "))
}

// listDifference is difference for the first entities that differ.
func listDifference[E any](name string, a, b []E) error {
	if len(a) != len(b) {
		return fmt.Errorf("%s: %d and %d", name, len(a), len(b))
	}
	for i := range a {
		if differs := difference(a[i], b[i]); differs != "" {
			return fmt.Errorf("%s: %s", name, differs)
		}
	}
	return nil
}
