package domain

import "unicode/utf8"

// Limits of a lead.
const (
	MaxEmail = 254 // bytes, after normalisation
	MaxPhone = 50  // characters

	maxNameBytes  = MaxName * utf8.UTFMax
	maxPhoneBytes = MaxPhone * utf8.UTFMax
)

// LeadID identifies a lead.
type LeadID int64

// Lead is a customer, unique by email. The edge normalises emails (see DESIGN.md section 7) before they come here.
type Lead struct {
	ID        LeadID
	Email     string
	Name      string
	Phone     string
	CreatedAt Time
}

// NewLead is the request to create a lead. Email is normalised.
type NewLead struct {
	Email string
	Name  string
	Phone string
}

// Validate checks the request's values; the email was checked where it was normalised.
func (n NewLead) Validate() error {
	var bad fieldErrors
	bad.lead(n.Name, n.Phone)
	return bad.err()
}

// LeadPatch is the request to change a lead; nil leaves a field as it is.
type LeadPatch struct {
	Name  *string
	Phone *string
}

// Validate checks the request's values.
func (p LeadPatch) Validate() error {
	var name, phone string
	set(&name, p.Name)
	set(&phone, p.Phone)
	var bad fieldErrors
	bad.lead(name, phone)
	return bad.err()
}

// fits says whether a lead's words are within their limits. An event from a damaged file may have others.
func (l *Lead) fits() bool {
	return len(l.Email) <= MaxEmail && len(l.Name) <= maxNameBytes && len(l.Phone) <= maxPhoneBytes
}

func (f *fieldErrors) lead(name, phone string) {
	f.length("name", name, MaxName)
	f.length("phone", phone, MaxPhone)
}
