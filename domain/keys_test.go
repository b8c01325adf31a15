package domain

import (
	"fmt"
	"strings"
	"testing"
)

// keyed is a contact with the key of this name.
func keyed(id ContactID, name string) *ContactCreated {
	n := NewContact{Source: 1, Email: "a@example.com", Key: name}
	return &ContactCreated{ID: id, Source: 1, Lead: 1, Key: n.Identity()}
}

// remembers checks which keys are found at a moment, and how many there are.
func remembers(t *testing.T, c *Catalog, at Time, want map[string]ContactID, count int, evicted uint64) {
	t.Helper()
	for name, id := range want {
		if use, known := c.KeyUse(keyed(0, name).Key, at); known != (id != 0) || known && use.Contact != id {
			t.Errorf("at %d key %s: %+v, known is %v, want contact %d", at, name, use, known, id)
		}
	}
	if n, e := c.KeyCount(); n != count || e != evicted {
		t.Errorf("at %d: %d keys and %d evicted, want %d and %d", at, n, e, count, evicted)
	}
}

// Catches a window that is off by one moment, and one that is judged by another time than the request's.
func TestKeyWindow(t *testing.T) {
	c := smallCatalog(t)
	c.LimitKeys(10, 100)
	apply(t, c, 100, keyed(4, "a"))
	apply(t, c, 105, keyed(5, "b"))
	remembers(t, c, 109, map[string]ContactID{"a": 4, "b": 5, "c": 0}, 2, 0)
	remembers(t, c, 110, map[string]ContactID{"a": 0, "b": 5}, 2, 0) // too old for this request, but still there
	apply(t, c, 109, &LeadChanged{ID: 1})
	remembers(t, c, 109, map[string]ContactID{"a": 4}, 2, 0)
	apply(t, c, 110, &LeadChanged{ID: 1}) // any record lets time go on
	remembers(t, c, 110, map[string]ContactID{"a": 0, "b": 5}, 1, 0)
	apply(t, c, 90, &LeadChanged{ID: 1})
	apply(t, c, 200, &LeadChanged{ID: 1})
	remembers(t, c, 200, map[string]ContactID{"a": 0, "b": 0}, 0, 0) // old ones are not evicted ones
}

// Catches a cap that is off by one, that drops the newest, or that is not counted; and a lower cap that waits.
func TestKeyCap(t *testing.T) {
	c := smallCatalog(t)
	c.LimitKeys(1_000_000, 3)
	for id := ContactID(4); id < 9; id++ {
		apply(t, c, 100, keyed(id, fmt.Sprint(id)))
	}
	remembers(t, c, 100, map[string]ContactID{"4": 0, "5": 0, "6": 6, "7": 7, "8": 8}, 3, 2)
	c.LimitKeys(1_000_000, 1)
	remembers(t, c, 100, map[string]ContactID{"7": 0, "8": 8}, 1, 4)
	c.LimitKeys(1_000_000, 0)
	remembers(t, c, 100, map[string]ContactID{"8": 0}, 0, 5)
}

// Catches an old use of a key that takes the new one's place with it when it is forgotten: the key came again after its
// window, and made another contact.
func TestKeyUsedAgainAfterItsWindow(t *testing.T) {
	c := smallCatalog(t)
	c.LimitKeys(10, 100)
	apply(t, c, 100, keyed(4, "a"))
	apply(t, c, 109, keyed(5, "b"))
	apply(t, c, 110, keyed(6, "a"))
	remembers(t, c, 111, map[string]ContactID{"a": 6, "b": 5}, 2, 0)
	apply(t, c, 119, &LeadChanged{ID: 1})
	remembers(t, c, 119, map[string]ContactID{"a": 6, "b": 0}, 1, 0)
}

// Catches blocks of keys that are mixed up, or kept for ever, as they fill and empty.
func TestKeysInBlocks(t *testing.T) {
	c := smallCatalog(t)
	const n, limit = 5 * keyBlock / 2, keyBlock + 5
	c.LimitKeys(1_000_000, limit)
	for id := ContactID(4); id < 4+n; id++ {
		apply(t, c, 100, keyed(id, fmt.Sprint(id)))
		if oldest := id - limit; oldest >= 4 {
			remembers(t, c, 100, map[string]ContactID{fmt.Sprint(id): id, fmt.Sprint(oldest): 0, fmt.Sprint(oldest + 1): oldest + 1}, limit, uint64(oldest-3))
		}
	}
	if blocks := len(c.keys.blocks); blocks > 3 {
		t.Errorf("%d blocks are kept for %d keys", blocks, limit)
	}
	frozen := c.Freeze()
	for id := ContactID(4 + n); id < 4+2*n; id++ {
		apply(t, c, 100, keyed(id, fmt.Sprint(id)))
	}
	want := ContactID(4 + n - limit)
	for use := range frozen.Keys() {
		if use.Contact != want {
			t.Fatalf("the frozen view lists contact %d, want %d", use.Contact, want)
		}
		want++
	}
	if want != 4+n || frozen.KeyCount() != limit {
		t.Errorf("the frozen view ends at contact %d and counts %d", want, frozen.KeyCount())
	}
	apply(t, c, 2_000_000, &LeadChanged{ID: 1})
	if n, _ := c.KeyCount(); n != 0 || len(c.keys.index) != 0 {
		t.Errorf("%d keys are left, %d in the index", n, len(c.keys.index))
	}
}

// Catches two requests that are taken for one, or one for two.
func TestKeyIdentity(t *testing.T) {
	base := NewContact{Source: 1, Email: "a", Name: "b", Phone: "c", Text: "d", Priority: 1, Key: "k"}
	if again := base; again.Identity() != base.Identity() || !again.Identity().Given() {
		t.Error("an identity is not one")
	}
	for name, c := range map[string]struct {
		change            func(*NewContact)
		sameKey, sameBody bool
	}{
		"source":   {func(n *NewContact) { n.Source = 2 }, false, true},
		"key":      {func(n *NewContact) { n.Key = "l" }, false, true},
		"email":    {func(n *NewContact) { n.Email = "x" }, true, false},
		"name":     {func(n *NewContact) { n.Name = "" }, true, false},
		"phone":    {func(n *NewContact) { n.Phone = "x" }, true, false},
		"text":     {func(n *NewContact) { n.Text = "x" }, true, false},
		"priority": {func(n *NewContact) { n.Priority = 2 }, true, false},
		"borders":  {func(n *NewContact) { n.Email, n.Name = "ab", "" }, true, false},
	} {
		n := base
		c.change(&n)
		a, b := base.Identity(), n.Identity()
		if (a.Digest == b.Digest) != c.sameKey || (a.Body == b.Body) != c.sameBody {
			t.Errorf("%s: same key %v, same body %v", name, a.Digest == b.Digest, a.Body == b.Body)
		}
	}
	base.Key = ""
	if base.Identity() != (Key{}) {
		t.Error("no key is a key")
	}
}

// Catches a repeat that makes a second contact, also after a restart; another body that passes; and a key of another source.
func TestKeyRepeats(t *testing.T) {
	w := pair(t, BacklogAuto)
	n := NewContact{Source: 1, Email: "a@example.com", Text: "hi", Key: "k"}
	first, _ := w.create(n, 0)
	for range 2 {
		w.create(n, 0)
		w.refused("")
		other := n
		other.Text = "hello"
		w.create(other, 0)
		w.refused(CodeKeyReused)
		w.restore()
	}
	w.close(first)
	w.create(n, 0)
	w.refused("") // as it is now: closed
	n.Source = 2
	w.create(n, 0)
	w.committed("ContactCreated ContactAssigned")
	w.done()
}

// Catches a key that is not checked.
func TestValidateKey(t *testing.T) {
	for key, good := range map[string]bool{
		"!": true, "~": true, strings.Repeat("k", MaxKey): true,
		strings.Repeat("k", MaxKey+1): false, " ": false, "a b": false, "a\x7f": false, "é": false, "\n": false,
	} {
		if err := (NewContact{Key: key}).Validate(); (err == nil) != good {
			t.Errorf("key %q: %v", key, err)
		}
	}
}
