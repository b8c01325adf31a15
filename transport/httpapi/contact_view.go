package httpapi

import (
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"minicrm/domain"
)

func viewContact(c domain.Contact) Contact {
	return Contact{
		ID: ID(c.ID), SourceID: ID(c.Source), LeadID: ID(c.Lead), OperatorID: orNull(ID(c.Operator)),
		Status: c.Status.Name(), How: orNull(c.How.Name()), Priority: Priority(c.Priority), Text: c.Text,
		CreatedAt: moment(c.CreatedAt), AssignedAt: orNull(moment(c.AssignedAt)), ClosedAt: orNull(moment(c.ClosedAt)),
		CloseReason: orNull(c.Reason),
	}
}

// MarshalJSONTo implements json.MarshalerTo. Contacts are most of what is answered, up to 10,000 at once, so they are
// written by hand. A test holds that against what would be written otherwise.
func (c *Contact) MarshalJSONTo(e *jsontext.Encoder) error {
	return e.WriteValue(c.append(e.AvailableBuffer()))
}

// append writes the contact. The words that are not a client's need no quoting: they are the domain's own.
func (c *Contact) append(b []byte) []byte {
	b = appendInt(append(b, `{"id":`...), c.ID)
	b = appendInt(append(b, `,"source_id":`...), c.SourceID)
	b = appendInt(append(b, `,"lead_id":`...), c.LeadID)
	b = appendOrNull(append(b, `,"operator_id":`...), c.OperatorID, appendInt)
	b = appendWord(append(b, `,"status":`...), c.Status)
	b = appendOrNull(append(b, `,"how":`...), c.How, appendWord)
	b = appendInt(append(b, `,"priority":`...), int64(c.Priority))
	b = appendText(append(b, `,"text":`...), c.Text)
	b = appendMoment(append(b, `,"created_at":`...), c.CreatedAt)
	b = appendOrNull(append(b, `,"assigned_at":`...), c.AssignedAt, appendMoment)
	b = appendOrNull(append(b, `,"closed_at":`...), c.ClosedAt, appendMoment)
	b = appendOrNull(append(b, `,"close_reason":`...), c.CloseReason, appendText)
	return append(b, '}')
}

// appendOrNull appends null, or a value.
func appendOrNull[T any](b []byte, n nullable[T], value func([]byte, T) []byte) []byte {
	if !n.known {
		return append(b, "null"...)
	}
	return value(b, n.value)
}

func appendInt(b []byte, n int64) []byte { return strconv.AppendInt(b, n, 10) }

// appendText appends a string. What would be invalid UTF-8 is replaced.
func appendText(b []byte, text string) []byte {
	b, _ = jsontext.AppendQuote(b, text) // the error only says that something was replaced
	return b
}

func appendWord(b []byte, word string) []byte { return append(append(append(b, '"'), word...), '"') }

func appendMoment(b []byte, at moment) []byte {
	b = append(b, '"')
	b, _ = at.AppendText(b) // it never fails
	return append(b, '"')
}
