package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode/utf8"
)

// result is a table in Markdown, and what has to be said about it.
type result struct {
	title string
	began time.Time
	head  []string
	rows  [][]string
	notes []string
}

func newResult(title string, head ...string) *result {
	return &result{title: title, began: time.Now(), head: head}
}

func (r *result) row(cells ...string) { r.rows = append(r.rows, cells) }

func (r *result) note(format string, args ...any) {
	r.notes = append(r.notes, fmt.Sprintf(format, args...))
}

// publish prints the result, and writes it to the file that was asked for.
func (r *result) publish(w *workplace) error {
	r.note("%s. %v in all.", w.machine(), time.Since(r.began).Round(time.Second))
	text := r.markdown()
	if _, err := io.WriteString(os.Stdout, text); err != nil {
		return err
	}
	if w.Out == "" {
		return nil
	}
	return os.WriteFile(w.Out, []byte(text), 0o644)
}

func (r *result) markdown() string {
	widths := make([]int, len(r.head))
	for _, row := range append([][]string{r.head}, r.rows...) {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	var b strings.Builder
	b.WriteString("## " + r.title + "\n\n")
	line := func(cells []string) {
		for i, cell := range cells {
			b.WriteString("| " + cell + strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)+1))
		}
		b.WriteString("|\n")
	}
	line(r.head)
	for _, n := range widths {
		b.WriteString("|" + strings.Repeat("-", n+2))
	}
	b.WriteString("|\n")
	for _, row := range r.rows {
		line(row)
	}
	b.WriteString("\n")
	for _, n := range r.notes {
		b.WriteString("- " + n + "\n")
	}
	return b.String()
}

// ratio shows a ratio against what it should be, at least (at most, with a negative target); 0 = no target.
func ratio(value, target float64) string {
	met, sign := value >= target, "≥"
	if target == 0 {
		return fmt.Sprintf("%.2f", value)
	}
	if target < 0 {
		target = -target
		met, sign = value <= target, "≤"
	}
	verdict := "met"
	if !met {
		verdict = "missed"
	}
	return fmt.Sprintf("%.2f (target %s %.2f: %s)", value, sign, target, verdict)
}

func count(v float64) string        { return fmt.Sprintf("%.0f", v) }
func milliseconds(v float64) string { return fmt.Sprintf("%.2f ms", v) }
