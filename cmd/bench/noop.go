package main

import (
	"context"
	"log/slog"
	"os"
	"sync/atomic"
)

// noopCmd runs the peer that does nothing: what HTTP, Gin and JSON alone cost.
type noopCmd struct {
	Listen string `default:"127.0.0.1:0" help:"Address to serve on."`
}

// Run serves until SIGTERM.
func (c *noopCmd) Run() error {
	return servePeer(c.Listen, newNoop(), slog.New(slog.NewTextHandler(os.Stderr, nil)))
}

// noop numbers what it is asked for, and remembers nothing.
type noop struct {
	last     atomic.Int64
	how, now string // of all contacts
}

func newNoop() *noop { return &noop{how: "automatic", now: "2026-01-01T00:00:00.123456Z"} }

func (n *noop) createOperator(context.Context, int) (int64, error) { return n.last.Add(1), nil }
func (n *noop) createSource(context.Context) (int64, error)        { return n.last.Add(1), nil }
func (n *noop) setLink(context.Context, int64, int64, int64) error { return nil }

func (n *noop) createContact(_ context.Context, b *contactBody) (contactView, error) {
	id := n.last.Add(1)
	return contactView{
		ID: id, SourceID: b.SourceID, LeadID: id, OperatorID: &id, Status: "assigned", How: &n.how, Text: b.Text,
		CreatedAt: n.now, AssignedAt: &n.now,
	}, nil
}

func (n *noop) closeContact(_ context.Context, id int64) (contactView, error) {
	return n.contact(id, "closed", &n.now), nil
}

func (n *noop) readContact(_ context.Context, id int64) (contactView, error) {
	return n.contact(id, "assigned", nil), nil
}

func (n *noop) contact(id int64, status string, closed *string) contactView {
	return contactView{
		ID: id, SourceID: 1, LeadID: id, OperatorID: &id, Status: status, How: &n.how,
		Text: "Where is the parcel that was to come last week?", CreatedAt: n.now, AssignedAt: &n.now, ClosedAt: closed,
	}
}
