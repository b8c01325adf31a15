package httpapi

import (
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"minicrm/domain"
)

// contactView is a contact as the API shows it. Contacts are most of what is answered, up to 10,000 at once, so they are
// written by hand.
type contactView domain.Contact

func viewContact(c domain.Contact) *contactView { return (*contactView)(&c) }

// MarshalJSONTo implements json.MarshalerTo.
func (v *contactView) MarshalJSONTo(e *jsontext.Encoder) error {
	return e.WriteValue(v.append(e.AvailableBuffer()))
}

// append writes the contact. The words that are not a client's need no quoting: they are the domain's own.
func (v *contactView) append(b []byte) []byte {
	b = appendInt(b, `{"id":`, int64(v.ID))
	b = appendInt(b, `,"source_id":`, int64(v.Source))
	b = appendInt(b, `,"lead_id":`, int64(v.Lead))
	b = append(b, `,"operator_id":`...)
	b = appendOr(b, v.Operator == 0, func(b []byte) []byte { return strconv.AppendInt(b, int64(v.Operator), 10) })
	b = append(b, `,"status":"`...)
	b = append(b, v.Status.Name()...)
	b = append(b, `","how":`...)
	b = appendOr(b, v.How == 0, func(b []byte) []byte { return append(append(append(b, '"'), v.How.Name()...), '"') })
	b = appendInt(b, `,"priority":`, int64(v.Priority))
	b = appendText(append(b, `,"text":`...), v.Text)
	b = appendMoment(append(b, `,"created_at":`...), v.CreatedAt)
	b = append(b, `,"assigned_at":`...)
	b = appendOr(b, v.AssignedAt == 0, func(b []byte) []byte { return appendMoment(b, v.AssignedAt) })
	b = append(b, `,"closed_at":`...)
	b = appendOr(b, v.ClosedAt == 0, func(b []byte) []byte { return appendMoment(b, v.ClosedAt) })
	b = append(b, `,"close_reason":`...)
	b = appendOr(b, v.Reason == "", func(b []byte) []byte { return appendText(b, v.Reason) })
	return append(b, '}')
}

func appendInt(b []byte, name string, n int64) []byte {
	return strconv.AppendInt(append(b, name...), n, 10)
}

// appendOr appends null, or a value.
func appendOr(b []byte, null bool, value func([]byte) []byte) []byte {
	if null {
		return append(b, "null"...)
	}
	return value(b)
}

// appendText appends a string. What would be invalid UTF-8 is replaced.
func appendText(b []byte, text string) []byte {
	b, _ = jsontext.AppendQuote(b, text) // the error only says that something was replaced
	return b
}

func appendMoment(b []byte, at domain.Time) []byte {
	b = append(b, '"')
	b, _ = moment(at).AppendText(b) // it never fails
	return append(b, '"')
}
