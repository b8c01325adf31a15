package main

import (
	"fmt"
	"slices"
	"strconv"

	"minicrm/domain"
)

// field is one value of an event, under the name that the HTTP API has for it.
type field struct {
	name  string
	value any // of the types that appendValue knows
}

// describe names an event and lists its fields. What was not said, such as a name that stays, is left out.
func describe(event domain.Event) (name string, fields []field) {
	switch e := event.(type) {
	case *domain.OperatorCreated:
		return "OperatorCreated", operatorFields(e)
	case *domain.OperatorDeleted:
		return "OperatorDeleted", []field{{"id", int64(e.ID)}}
	case *domain.OperatorDrawn:
		fields := []field{{"source_id", int64(e.Source)}, {"operator_id", int64(e.Operator)}}
		return "OperatorDrawn", appendAmong(fields, e.Among)
	case *domain.SourceDeleted:
		return "SourceDeleted", []field{{"id", int64(e.ID)}}
	case *domain.OperatorChanged:
		return "OperatorChanged", operatorFields((*domain.OperatorCreated)(e))
	case *domain.SourceCreated:
		return "SourceCreated", sourceFields(e)
	case *domain.SourceChanged:
		return "SourceChanged", sourceFields((*domain.SourceCreated)(e))
	case *domain.LinkSet:
		return "LinkSet", []field{{"source_id", int64(e.Source)}, {"operator_id", int64(e.Operator)}, {"weight", e.Weight}}
	case *domain.LinkRemoved:
		return "LinkRemoved", []field{{"source_id", int64(e.Source)}, {"operator_id", int64(e.Operator)}}
	case *domain.LeadCreated:
		return "LeadCreated", []field{{"id", int64(e.ID)}, {"email", e.Email}, {"name", e.Name}, {"phone", e.Phone}}
	case *domain.LeadChanged:
		fields := []field{{"id", int64(e.ID)}}
		fields = appendString(fields, "name", e.Name)
		return "LeadChanged", appendString(fields, "phone", e.Phone)
	case *domain.LeadErased:
		return "LeadErased", []field{{"id", int64(e.ID)}}
	}
	return describeContact(event)
}

func describeContact(event domain.Event) (name string, fields []field) {
	switch e := event.(type) {
	case *domain.ContactCreated:
		return "ContactCreated", []field{
			{"id", int64(e.ID)}, {"source_id", int64(e.Source)}, {"lead_id", int64(e.Lead)}, {"text", e.Text},
			{"priority", int64(e.Priority)}, {"keyed", e.Key.Given()},
		}
	case *domain.ContactAssigned:
		return "ContactAssigned", assignedFields(e)
	case *domain.ContactReleased:
		return "ContactReleased", []field{{"id", int64(e.ID)}, {"source_id", int64(e.Source)}, {"operator_id", int64(e.Operator)}}
	case *domain.ContactReopened:
		return "ContactReopened", []field{{"id", int64(e.ID)}, {"source_id", int64(e.Source)}, {"priority", int64(e.Priority)}}
	case *domain.ContactPrioritised:
		return "ContactPrioritised", []field{{"id", int64(e.ID)}, {"source_id", int64(e.Source)}, {"priority", int64(e.Priority)}}
	case *domain.ContactClosed:
		fields := []field{{"id", int64(e.ID)}, {"source_id", int64(e.Source)}}
		fields = appendOperator(fields, "operator_id", e.Operator)
		return "ContactClosed", append(fields, field{"reason", e.Reason})
	case *domain.ContactsArchived:
		ids := make([]int, len(e.IDs))
		for i, id := range e.IDs {
			ids[i] = int(id)
		}
		return "ContactsArchived", []field{{"archive", e.Day.Archive()}, {"ids", ids}}
	}
	return fmt.Sprintf("%T", event), nil // one that is newer than this tool: better its name than nothing
}

func operatorFields(e *domain.OperatorCreated) []field {
	return []field{
		{"id", int64(e.ID)}, {"name", e.Name}, {"active", e.Active}, {"draining", e.Draining}, {"max_load", int64(e.MaxLoad)},
		{"external_id", e.ExternalID}, {"username", e.Username},
	}
}

func sourceFields(e *domain.SourceCreated) []field {
	backlog := word(uint8(e.Backlog), e.Backlog.Name())
	return []field{
		{"id", int64(e.ID)}, {"name", e.Name}, {"backlog", backlog},
		{"backlog_limit", int64(e.BacklogLimit)}, {"sticky_window", e.StickyWindow},
	}
}

func assignedFields(e *domain.ContactAssigned) []field {
	fields := []field{{"id", int64(e.ID)}, {"source_id", int64(e.Source)}, {"operator_id", int64(e.Operator)}}
	fields = appendOperator(fields, "from_operator_id", e.From)
	fields = append(fields, field{"how", word(uint8(e.How), e.How.Name())})
	return appendAmong(fields, e.Among)
}

// appendAmong has the eligible set as the journal has it: rows are places among the links of the source, from 0.
func appendAmong(fields []field, among domain.Among) []field {
	fields = append(fields, field{"among", word(uint8(among.Kind), setName(among.Kind))})
	if among.Kind == domain.SpelledSet {
		fields = append(fields, field{"rows", slices.Collect(among.Rows.All())})
	}
	return fields
}

func appendString(fields []field, name string, value *string) []field {
	if value == nil {
		return fields
	}
	return append(fields, field{name, *value})
}

// appendOperator leaves out nobody.
func appendOperator(fields []field, name string, id domain.OperatorID) []field {
	if id == 0 {
		return fields
	}
	return append(fields, field{name, int64(id)})
}

// setName is the word for how an eligible set is written down, "" for a way that does not exist.
func setName(k domain.SetKind) string {
	switch k {
	case domain.Uncharged:
		return "uncharged"
	case domain.Alone:
		return "alone"
	case domain.SameSet:
		return "same"
	case domain.SpelledSet:
		return "rows"
	}
	return ""
}

// word is the word for a value of an enumeration, or the number of one that has none.
func word(value uint8, name string) string {
	if name == "" {
		return strconv.Itoa(int(value))
	}
	return name
}
