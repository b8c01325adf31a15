package httpapi

import (
	"context"

	"minicrm/domain"
)

// Dispatcher is who decides and who knows: what this package needs of the rest of the house.
//
// A command returns when what it answers is durable and View shows it. It returns a *domain.Error for a refusal (also
// for an id that does not exist), and ctx.Err() when the client went away, which does not tell whether it happened.
// by is when the command came, and from whom.
type Dispatcher interface {
	CreateOperator(ctx context.Context, n domain.NewOperator, by domain.Stamp) (domain.Operator, error)
	ChangeOperator(ctx context.Context, id domain.OperatorID, p domain.OperatorPatch, by domain.Stamp) (domain.Operator, error)
	DeleteOperator(ctx context.Context, id domain.OperatorID, by domain.Stamp) error
	// ReleaseAll releases all contacts of an operator, each on its own.
	ReleaseAll(ctx context.Context, id domain.OperatorID, by domain.Stamp) (domain.Released, error)

	CreateSource(ctx context.Context, n domain.NewSource, by domain.Stamp) (domain.Source, error)
	ChangeSource(ctx context.Context, id domain.SourceID, p domain.SourcePatch, by domain.Stamp) (domain.Source, error)
	DeleteSource(ctx context.Context, id domain.SourceID, by domain.Stamp) error
	SetLink(ctx context.Context, source domain.SourceID, op domain.OperatorID, weight int64, by domain.Stamp) (domain.LinkView, error)
	RemoveLink(ctx context.Context, source domain.SourceID, op domain.OperatorID, by domain.Stamp) error
	// DrawOperator decides who gets a contact that another system routes.
	DrawOperator(ctx context.Context, source domain.SourceID, by domain.Stamp) (domain.Operator, error)

	CreateLead(ctx context.Context, n domain.NewLead, by domain.Stamp) (domain.Lead, error)
	ChangeLead(ctx context.Context, id domain.LeadID, p domain.LeadPatch, by domain.Stamp) (domain.Lead, error)
	// EraseLead returns the index of a journal record from which on nothing has anything of the person.
	EraseLead(ctx context.Context, id domain.LeadID, by domain.Stamp) (index uint64, err error)

	// CreateContact says whether an earlier request with the same key had made the contact.
	CreateContact(ctx context.Context, n domain.NewContact, by domain.Stamp) (c domain.Contact, replayed bool, err error)
	// CreateContacts has a result for each, in order. It keeps nothing of the slice that it is given.
	CreateContacts(ctx context.Context, all []domain.NewContact, by domain.Stamp) ([]domain.CreatedContact, error)
	CloseContact(ctx context.Context, id domain.ContactID, reason string, by domain.Stamp) (domain.Contact, error)
	AssignContact(ctx context.Context, id domain.ContactID, op domain.OperatorID, force bool, by domain.Stamp) (domain.Contact, error)
	ReleaseContact(ctx context.Context, id domain.ContactID, by domain.Stamp) (domain.Contact, error)
	ReopenContact(ctx context.Context, id domain.ContactID, by domain.Stamp) (domain.Contact, error)
	PrioritiseContact(ctx context.Context, id domain.ContactID, priority uint8, by domain.Stamp) (domain.Contact, error)

	// TakeSnapshot returns the index of the last record in the snapshot, when that is durable.
	TakeSnapshot(ctx context.Context) (index uint64, err error)

	// View runs read under the catalog's read lock: read copies what it needs and returns.
	View(read func(*domain.Catalog))
}
