package httpapi

import (
	"context"

	"minicrm/domain"
)

// Dispatcher is who decides and who knows: what this package needs of the rest of the house.
//
// A command returns when what it answers is durable and View shows it. It returns a *domain.Error for a refusal (also
// for an id that does not exist), and ctx.Err() when the client went away, which does not tell whether it happened.
type Dispatcher interface {
	CreateOperator(ctx context.Context, n domain.NewOperator, at domain.Time) (domain.Operator, error)
	ChangeOperator(ctx context.Context, id domain.OperatorID, p domain.OperatorPatch, at domain.Time) (domain.Operator, error)
	CreateSource(ctx context.Context, n domain.NewSource, at domain.Time) (domain.Source, error)
	ChangeSource(ctx context.Context, id domain.SourceID, p domain.SourcePatch, at domain.Time) (domain.Source, error)
	SetLink(ctx context.Context, source domain.SourceID, op domain.OperatorID, weight int64, at domain.Time) (domain.LinkView, error)
	RemoveLink(ctx context.Context, source domain.SourceID, op domain.OperatorID, at domain.Time) error
	CreateLead(ctx context.Context, n domain.NewLead, at domain.Time) (domain.Lead, error)
	ChangeLead(ctx context.Context, id domain.LeadID, p domain.LeadPatch, at domain.Time) (domain.Lead, error)
	// EraseLead returns the index of a journal record from which on nothing has anything of the person.
	EraseLead(ctx context.Context, id domain.LeadID, at domain.Time) (index uint64, err error)
	CreateContact(ctx context.Context, n domain.NewContact, at domain.Time) (domain.Contact, error)
	CloseContact(ctx context.Context, id domain.ContactID, at domain.Time) (domain.Contact, error)
	AssignContact(ctx context.Context, id domain.ContactID, op domain.OperatorID, force bool, at domain.Time) (domain.Contact, error)

	// TakeSnapshot returns the index of the last record in the snapshot, when that is durable.
	TakeSnapshot(ctx context.Context) (index uint64, err error)

	// View runs read under the catalog's read lock: read copies what it needs and returns.
	View(read func(*domain.Catalog))
}
