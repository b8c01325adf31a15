package domain

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Code names a reason for a refusal. Codes are stable: clients switch on them.
type Code string

// The closed set of codes. The edge maps each to an HTTP status.
const (
	CodeInvalid          Code = "invalid"                // a value is missing, too long or out of range
	CodeOperatorNotFound Code = "operator_not_found"     // no operator has this id
	CodeSourceNotFound   Code = "source_not_found"       // no source has this id
	CodeLeadNotFound     Code = "lead_not_found"         // no lead has this id
	CodeContactNotFound  Code = "contact_not_found"      // no contact has this id
	CodeLinkNotFound     Code = "link_not_found"         // the operator is not linked to the source
	CodeEmailTaken       Code = "email_taken"            // another lead has this email
	CodeContactClosed    Code = "contact_closed"         // a closed contact can be neither closed nor assigned
	CodeOperatorFull     Code = "operator_full"          // at max_load; force assigns all the same
	CodeOperatorInactive Code = "operator_inactive"      // not active; force assigns all the same
	CodeNotLinked        Code = "not_linked"             // not linked to the contact's source; force does not help
	CodeTooManyLinks     Code = "too_many_links"         // the source has MaxLinks operators already
	CodeContactOpen      Code = "contact_open"           // nobody holds it, so nobody can release it
	CodeContactNotOpen   Code = "contact_not_open"       // only an open contact has a priority to change
	CodeContactNotClosed Code = "contact_not_closed"     // only a closed contact can be reopened
	CodeBacklogFull      Code = "backlog_full"           // the source's backlog_limit is reached; try again
	CodeKeyReused        Code = "idempotency_key_reused" // the key came before with another body
	CodeOperatorBusy     Code = "operator_in_use"        // it has contacts or links; Error.Message names them
	CodeSourceLive       Code = "source_has_live_contacts"
	CodeNoDecision       Code = "no_decision"            // the contact was never assigned
	CodeDecisionExpired  Code = "decision_expired"       // too many decisions of the source ago
	CodeNobodyEligible   Code = "nobody_eligible"        // no operator can be drawn
	CodeContactArchived  Code = "contact_archived"       // closed long ago; Error.Archive says where it is
	CodeLeadErased       Code = "lead_erased"            // the person was erased
	CodeLeadLive         Code = "lead_has_live_contacts" // a lead with open or assigned contacts cannot be erased
	CodeUnavailable      Code = "unavailable"            // the dispatcher is stopping or has failed; try again
)

// FieldError says what is wrong with one field of a request.
type FieldError struct {
	Field   string
	Message string
}

// Error is a refusal: an expected outcome, decided by a rule, safe to show to a client.
type Error struct {
	Code    Code
	Message string
	Fields  []FieldError // CodeInvalid: every bad field
	Lead    LeadID       // CodeEmailTaken: who has the email
	Archive string       // CodeContactArchived: the name of the file
}

func (e *Error) Error() string {
	if len(e.Fields) == 0 {
		return e.Message
	}
	parts := make([]string, len(e.Fields))
	for i, f := range e.Fields {
		parts[i] = f.Field + " " + f.Message
	}
	return e.Message + ": " + strings.Join(parts, ", ")
}

// Refuse makes an Error with a formatted message.
func Refuse(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// fieldErrors gathers what is wrong with a request's fields.
type fieldErrors []FieldError

func (f *fieldErrors) add(field, format string, args ...any) {
	*f = append(*f, FieldError{Field: field, Message: fmt.Sprintf(format, args...)})
}

func (f *fieldErrors) name(value string) {
	if strings.TrimSpace(value) == "" {
		f.add("name", "must not be blank")
	}
	f.length("name", value, MaxName)
}

func (f *fieldErrors) length(field, value string, limit int) {
	if n := utf8.RuneCountInString(value); n > limit {
		f.add(field, "must have at most %d characters, has %d", limit, n)
	}
}

func (f *fieldErrors) bytes(field, value string, limit int) {
	if len(value) > limit {
		f.add(field, "must have at most %d bytes, has %d", limit, len(value))
	}
}

func (f *fieldErrors) upTo(field string, value, high int64) {
	if value < 0 || value > high {
		f.add(field, "must be between 0 and %d, is %d", high, value)
	}
}

// err is nil when no field is wrong.
func (f fieldErrors) err() error {
	if len(f) == 0 {
		return nil
	}
	return &Error{Code: CodeInvalid, Message: "the request has bad values", Fields: f}
}
