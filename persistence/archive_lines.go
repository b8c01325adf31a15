package persistence

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/klauspost/compress/zstd"

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

// Bounds of a frame, which no damaged length may pass: it has maxLines and one line more, of 2 MiB at most.
const (
	maxFrame      = 64 << 20
	zstdMagicSize = 4
)

var (
	errTorn   = errors.New("the frame is cut off")
	zstdMagic = []byte{0x28, 0xb5, 0x2f, 0xfd}
)

// archiveFrames hands over each frame of a file and what it has, and returns where the last whole one ends. A damaged
// frame that another follows is an error; at the end it is the torn rest of a write.
func archiveFrames(file *os.File, each func(frame, lines []byte) error) (end int64, err error) {
	decoder, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxFrame))
	if err != nil {
		return 0, err
	}
	defer decoder.Close()
	info, err := file.Stat()
	if err != nil {
		return 0, err
	}
	for end < info.Size() {
		frame, bad := readZstdFrame(file, end, info.Size())
		var lines []byte
		if bad == nil {
			lines, bad = decoder.DecodeAll(frame, nil)
		}
		if bad != nil {
			return end, onlyTorn(file, end, info.Size(), bad)
		}
		if err := each(frame, lines); err != nil {
			return end, err
		}
		end += int64(len(frame))
	}
	return end, nil
}

// onlyTorn is nil when no frame begins behind a damaged one.
func onlyTorn(file *os.File, at, size int64, bad error) error {
	if size-at > maxFrame {
		return fmt.Errorf("the frame at offset %d is damaged, and it is not the last: %w", at, bad)
	}
	rest := make([]byte, size-at)
	if _, err := file.ReadAt(rest, at); err != nil {
		return err
	}
	if len(rest) > zstdMagicSize && bytes.Contains(rest[1:], zstdMagic) {
		return fmt.Errorf("the frame at offset %d is damaged, and another follows: %w", at, bad)
	}
	return nil
}

// readZstdFrame reads one frame. Nothing in it says how long it is, so its blocks are walked (RFC 8878, section 3.1.1).
func readZstdFrame(file *os.File, at, size int64) ([]byte, error) {
	head := make([]byte, min(zstd.HeaderMaxSize, size-at))
	if _, err := file.ReadAt(head, at); err != nil {
		return nil, err
	}
	var h zstd.Header
	if err := h.Decode(head); err != nil {
		return nil, err
	}
	if h.Skippable {
		return nil, fmt.Errorf("a skippable frame, which is not ours")
	}
	n := int64(h.HeaderSize)
	for last := false; !last; {
		var b [3]byte
		if at+n+3 > size || n > maxFrame {
			return nil, errTorn
		}
		if _, err := file.ReadAt(b[:], at+n); err != nil {
			return nil, err
		}
		block := uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16
		last = block&1 == 1
		length := int64(block >> 3)
		if block>>1&3 == 1 { // one byte, repeated
			length = 1
		}
		n += 3 + length
	}
	if h.HasCheckSum {
		n += 4
	}
	if at+n > size {
		return nil, errTorn
	}
	frame := make([]byte, n)
	_, err := file.ReadAt(frame, at)
	return frame, err
}
