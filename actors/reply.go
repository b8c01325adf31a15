package actors

import (
	"context"
	"sync"

	"minicrm/domain"
)

// waiter is who waits for a command. The journal settles it, exactly once, when all that the command's answer was
// decided from is durable and in the catalog.
type waiter interface {
	settle(c *domain.Catalog, subject int64, err error)
	traced() *journey // nil = the command is not traced
}

// reply carries a command's answer back: what the command's subject looks like in the catalog right after the command.
type reply[T any] struct {
	done  chan error // room for one: the journal never waits for a reader
	find  func(c *domain.Catalog, subject int64) (T, error)
	value T

	journey *journey
}

func newReply[T any](j *journey, find func(*domain.Catalog, int64) (T, error)) *reply[T] {
	return &reply[T]{done: make(chan error, 1), find: find, journey: j}
}

func (r *reply[T]) traced() *journey { return r.journey }

func (r *reply[T]) settle(c *domain.Catalog, subject int64, err error) {
	if err == nil {
		r.value, err = r.find(c, subject)
	}
	r.done <- err
}

// command is what every message that somebody waits for has in common.
type command struct {
	domain.Stamp
	subject int64 // the id that the answer shows; the decider sets it where it gives the id
	waiter  waiter
	passed  domain.LeadID   // of a contact that the leads decider passed on; else 0
	made    domain.SourceID // where a new contact is to be made; 0 = the command is another
}

// commit is what the journal receives: a record, or none, and who waits for it to be durable.
type commit struct {
	command
	record domain.Record
	err    error // the refusal, when there is no record
}

// contactReplies keeps replies with contacts for the next command: most commands are about contacts.
type contactReplies struct{ free sync.Pool }

func (f *contactReplies) get(j *journey) *reply[domain.Contact] {
	if r, ok := f.free.Get().(*reply[domain.Contact]); ok {
		r.journey = j
		return r
	}
	return newReply(j, contactIn)
}

// await waits for the answer. Only a reply that was settled is used again: nobody else knows it then.
func (f *contactReplies) await(ctx context.Context, d *Dispatcher, r *reply[domain.Contact]) (domain.Contact, error) {
	refusal, err := receive(ctx, d, r.done)
	if err != nil {
		return domain.Contact{}, err
	}
	d.end(ctx, r.journey)
	contact := r.value
	r.value, r.journey = domain.Contact{}, nil
	f.free.Put(r)
	return contact, refusal
}
