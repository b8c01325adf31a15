package persistence

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"minicrm/domain"
)

// archivedJSON is a line of an archive: a contact as the API shows it, and who the lead was.
type archivedJSON struct {
	ID         domain.ContactID   `json:"id"`
	SourceID   domain.SourceID    `json:"source_id"`
	LeadID     domain.LeadID      `json:"lead_id"`
	OperatorID *domain.OperatorID `json:"operator_id"`
	Status     string             `json:"status"`
	How        *string            `json:"how"`
	Text       string             `json:"text"`
	CreatedAt  *time.Time         `json:"created_at"`
	AssignedAt *time.Time         `json:"assigned_at"`
	ClosedAt   *time.Time         `json:"closed_at"`
	LeadEmail  string             `json:"lead_email"`
	LeadName   string             `json:"lead_name"`
	LeadPhone  string             `json:"lead_phone"`
}

func writeArchived(w io.Writer, a *domain.Archived) error {
	c := &a.Contact
	line := archivedJSON{
		ID: c.ID, SourceID: c.Source, LeadID: c.Lead, Status: domain.StatusClosed.Name(), Text: c.Text,
		CreatedAt: archivedTime(c.CreatedAt), AssignedAt: archivedTime(c.AssignedAt), ClosedAt: archivedTime(c.ClosedAt),
		LeadEmail: a.Lead.Email, LeadName: a.Lead.Name, LeadPhone: a.Lead.Phone,
	}
	if c.Operator != 0 {
		line.OperatorID = &c.Operator
	}
	if how := c.How.Name(); how != "" {
		line.How = &how
	}
	return writeLine(w, &line)
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
		if !match(&c) || c.LeadEmail+c.LeadName+c.LeadPhone+c.Text == "" {
			out.Write(line)
			continue
		}
		n++
		c.LeadEmail, c.LeadName, c.LeadPhone, c.Text = "", "", "", ""
		if err := writeLine(&out, &c); err != nil {
			return nil, 0, err
		}
	}
	return out.Bytes(), n, nil
}
