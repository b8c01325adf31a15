package main

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"

	"minicrm/domain"
)

// describe names an event and lists its fields. What was not said, such as a name that stays, is left out.
func describe(event domain.Event) (name string, fields []field) {
	switch e := event.(type) {
	case *domain.OperatorCreated:
		return "OperatorCreated", operatorFields(e)
	case *domain.OperatorChanged:
		return "OperatorChanged", operatorFields((*domain.OperatorCreated)(e))
	case *domain.OperatorDeleted:
		return "OperatorDeleted", []field{{"id", int64(e.ID)}}
	case *domain.SourceCreated:
		return "SourceCreated", sourceFields(e)
	case *domain.SourceChanged:
		return "SourceChanged", sourceFields((*domain.SourceCreated)(e))
	case *domain.SourceDeleted:
		return "SourceDeleted", []field{{"id", int64(e.ID)}}
	case *domain.LinkSet:
		return "LinkSet", []field{{"source_id", int64(e.Source)}, {"operator_id", int64(e.Operator)}, {"weight", e.Weight}}
	case *domain.LinkRemoved:
		return "LinkRemoved", []field{{"source_id", int64(e.Source)}, {"operator_id", int64(e.Operator)}}
	case *domain.OperatorDrawn:
		fields := []field{{"source_id", int64(e.Source)}, {"operator_id", int64(e.Operator)}}
		return "OperatorDrawn", appendAmong(fields, e.Among)
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

// describeContact is describe for what happens to contacts.
func describeContact(event domain.Event) (name string, fields []field) {
	switch e := event.(type) {
	case *domain.ContactCreated:
		return "ContactCreated", createdFields(e)
	case *domain.ContactAssigned:
		return "ContactAssigned", assignedFields(e)
	case *domain.ContactReleased:
		return "ContactReleased", appendOperator(contactFields(e.ID, e.Source), "operator_id", e.Operator)
	case *domain.ContactReopened:
		return "ContactReopened", append(contactFields(e.ID, e.Source), field{"priority", int64(e.Priority)})
	case *domain.ContactPrioritised:
		return "ContactPrioritised", append(contactFields(e.ID, e.Source), field{"priority", int64(e.Priority)})
	case *domain.ContactClosed:
		fields := appendOperator(contactFields(e.ID, e.Source), "operator_id", e.Operator)
		return "ContactClosed", appendWord(fields, "reason", e.Reason)
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
	fields := []field{
		{"id", int64(e.ID)}, {"name", e.Name}, {"active", e.Active}, {"draining", e.Draining}, {"max_load", int64(e.MaxLoad)},
	}
	return appendWord(appendWord(fields, "external_id", e.ExternalID), "username", e.Username)
}

func sourceFields(e *domain.SourceCreated) []field {
	backlog := word(uint8(e.Backlog), e.Backlog.Name())
	return []field{
		{"id", int64(e.ID)}, {"name", e.Name}, {"backlog", backlog}, {"backlog_limit", int64(e.BacklogLimit)},
		{"sticky_window", e.StickyWindow},
	}
}

func contactFields(id domain.ContactID, source domain.SourceID) []field {
	return []field{{"id", int64(id)}, {"source_id", int64(source)}}
}

// createdFields has the idempotency key as the journal has it, which is not the key itself.
func createdFields(e *domain.ContactCreated) []field {
	fields := append(contactFields(e.ID, e.Source),
		field{"lead_id", int64(e.Lead)}, field{"text", e.Text}, field{"priority", int64(e.Priority)})
	if e.Key.Given() {
		fields = append(fields, field{"key_digest", hex.EncodeToString(e.Key.Digest[:])})
	}
	return fields
}

func assignedFields(e *domain.ContactAssigned) []field {
	fields := append(contactFields(e.ID, e.Source), field{"operator_id", int64(e.Operator)})
	fields = appendOperator(fields, "from_operator_id", e.From)
	return appendAmong(append(fields, field{"how", word(uint8(e.How), e.How.Name())}), e.Among)
}

// appendAmong has the eligible set as the journal has it: rows are places among the links of the source, from 0.
func appendAmong(fields []field, a domain.Among) []field {
	fields = append(fields, field{"among", word(uint8(a.Kind), setName(a.Kind))})
	if a.Kind == domain.SpelledSet {
		fields = append(fields, field{"rows", slices.Collect(a.Rows.All())})
	}
	return fields
}

func appendString(fields []field, name string, value *string) []field {
	if value == nil {
		return fields
	}
	return append(fields, field{name, *value})
}

// appendWord leaves out what is empty.
func appendWord(fields []field, name, value string) []field {
	if value == "" {
		return fields
	}
	return append(fields, field{name, value})
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
