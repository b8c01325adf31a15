package domain

import (
	"strings"
	"testing"
)

// Catches emails that are told apart by a part of them only, and one that is still known after it was erased.
func TestEmailsAreToldApart(t *testing.T) {
	known := emails{}
	long := strings.Repeat("x", MaxEmail)
	all := []string{"a@example.com", "b@example.com", "", long, long + "y", long + "z"}
	for i, email := range all {
		known.add(email, LeadID(i+1))
	}
	for i, email := range all {
		if id, found := known.find(email); !found || id != LeadID(i+1) {
			t.Errorf("%.20q belongs to %d, %v", email, id, found)
		}
	}
	known.remove("a@example.com")
	if id, found := known.find("a@example.com"); found || len(known) != len(all)-1 {
		t.Errorf("it belongs to %d, and %d are known", id, len(known))
	}
}

// Catches a lookup that allocates: each new contact has one.
func TestEmailsAllocateNothing(t *testing.T) {
	known, email := emails{}, strings.Repeat("x", MaxEmail)
	known.add(email, 1)
	if allocs := testing.AllocsPerRun(100, func() { known.find(email) }); allocs != 0 {
		t.Errorf("%.1f allocations", allocs)
	}
}
