package persistence

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"minicrm/domain"
)

// maxLines is about how many bytes of lines one frame has: contacts with much history come in several.
const maxLines = 8 << 20

// archivedJSON is a line of an archive: a contact as the API shows it, who the lead was, and, when more happened to the
// contact than that, its whole history.
type archivedJSON struct {
	ID         domain.ContactID   `json:"id"`
	SourceID   domain.SourceID    `json:"source_id"`
	LeadID     domain.LeadID      `json:"lead_id"`
	OperatorID *domain.OperatorID `json:"operator_id"`
	Status     string             `json:"status"`
	How        *string            `json:"how"`
	Priority   uint8              `json:"priority"`
	Text       string             `json:"text"`
	Reason     string             `json:"close_reason"`
	CreatedAt  *time.Time         `json:"created_at"`
	AssignedAt *time.Time         `json:"assigned_at"`
	ClosedAt   *time.Time         `json:"closed_at"`
	LeadEmail  string             `json:"lead_email"`
	LeadName   string             `json:"lead_name"`
	LeadPhone  string             `json:"lead_phone"`
	CreatedBy  string             `json:"created_by,omitempty"`
	AssignedBy string             `json:"assigned_by,omitempty"`
	ClosedBy   string             `json:"closed_by,omitempty"`
	History    []archivedStep     `json:"history,omitempty"`
}

// archivedStep is a step of a contact's history. What a step does not have is left out.
type archivedStep struct {
	At     *time.Time        `json:"at"`
	What   string            `json:"what"`
	By     string            `json:"by,omitempty"`
	From   domain.OperatorID `json:"from,omitempty"`
	To     domain.OperatorID `json:"to,omitempty"`
	How    string            `json:"how,omitempty"`
	Reason string            `json:"reason,omitempty"`
}

// archiveLines are the lines of the first contacts: of all, if they fit into one frame. rest are the others.
func archiveLines(contacts []domain.Archived) (lines []byte, rest []domain.Archived, err error) {
	var b bytes.Buffer
	for len(contacts) > 0 && b.Len() < maxLines {
		if err := writeArchived(&b, &contacts[0]); err != nil {
			return nil, nil, fmt.Errorf("contact %d: %w", contacts[0].Contact.ID, err)
		}
		contacts = contacts[1:]
	}
	return b.Bytes(), contacts, nil
}

func writeArchived(w io.Writer, a *domain.Archived) error {
	c := &a.Contact
	line := archivedJSON{
		ID: c.ID, SourceID: c.Source, LeadID: c.Lead, Status: domain.StatusClosed.Name(), Text: c.Text, Priority: c.Priority,
		CreatedAt: archivedTime(c.CreatedAt), AssignedAt: archivedTime(c.AssignedAt), ClosedAt: archivedTime(c.ClosedAt),
		LeadEmail: a.Lead.Email, LeadName: a.Lead.Name, LeadPhone: a.Lead.Phone,
		Reason: c.Reason, CreatedBy: a.NameOf(c.CreatedBy), AssignedBy: a.NameOf(c.AssignedBy), ClosedBy: a.NameOf(c.ClosedBy),
	}
	if c.Operator != 0 {
		line.OperatorID = &c.Operator
	}
	if how := c.How.Name(); how != "" {
		line.How = &how
	}
	if len(c.Past()) > 0 {
		line.History = archivedHistory(a)
	}
	return writeLine(w, &line)
}

func archivedHistory(a *domain.Archived) (history []archivedStep) {
	for _, s := range a.Contact.History() {
		history = append(history, archivedStep{
			At: archivedTime(s.At), What: s.Kind.Name(), By: a.NameOf(s.By), From: s.From, To: s.To, How: s.How.Name(), Reason: s.Reason,
		})
	}
	return history
}

func writeLine(w io.Writer, line *archivedJSON) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(line)
}

func archivedTime(t domain.Time) *time.Time {
	if t == 0 {
		return nil
	}
	at := time.UnixMicro(int64(t)).UTC()
	return &at
}

// eraseLines empties what is personal in the lines that match, and returns how many did.
func eraseLines(lines []byte, match func(*archivedJSON) bool) (erased []byte, n int, err error) {
	var out bytes.Buffer
	for line := range bytes.Lines(lines) {
		var c archivedJSON
		if err := json.Unmarshal(line, &c); err != nil {
			return nil, 0, fmt.Errorf("a line is no contact: %w", err)
		}
		if !match(&c) || !c.erase() {
			out.Write(line)
			continue
		}
		n++
		if err := writeLine(&out, &c); err != nil {
			return nil, 0, err
		}
	}
	return out.Bytes(), n, nil
}

// erase empties what is personal; false = nothing was left of it.
func (c *archivedJSON) erase() (erased bool) {
	personal := []*string{&c.LeadEmail, &c.LeadName, &c.LeadPhone, &c.Text, &c.Reason}
	for i := range c.History {
		personal = append(personal, &c.History[i].Reason)
	}
	for _, field := range personal {
		erased = erased || *field != ""
		*field = ""
	}
	return erased
}
