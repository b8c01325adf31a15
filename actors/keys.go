package actors

import "minicrm/domain"

// A repeat is told from a new contact by its idempotency key. The catalog remembers the keys of committed contacts; a
// source knows those of its own contacts that may not be committed yet. So the first of two copies that race is known
// to the second, and since the answer to that goes through the journal, too, it waits for the first one's fsync.

// maxPending is the number of uses of keys from which a source looks which ones the catalog has by now.
const maxPending = 1024

// pendingKeys are uses of keys that the catalog may not have yet.
type pendingKeys map[[16]byte]domain.KeyUse

// add notes the use of a key.
func (p *pendingKeys) add(use domain.KeyUse, committed *catalog) {
	if *p == nil {
		*p = pendingKeys{}
	}
	if len(*p) >= maxPending {
		p.drop(committed)
	}
	(*p)[use.Digest] = use
}

// drop forgets what the catalog has, or has had.
func (p *pendingKeys) drop(committed *catalog) {
	committed.view(func(c *domain.Catalog) {
		for digest, use := range *p {
			if c.Made(use.Contact) {
				delete(*p, digest)
			}
		}
	})
}

// find is the latest use of a key that is remembered. What is committed the catalog knows best.
func (p pendingKeys) find(key domain.Key, at domain.Time, committed *catalog) (use domain.KeyUse, known bool) {
	use, known = p[key.Digest]
	committed.view(func(c *domain.Catalog) {
		if !known || c.Made(use.Contact) {
			use, known = c.KeyUse(key, at)
		}
	})
	return use, known
}

// repeated answers a request whose key made a contact before: with that contact as it is now, or with a refusal when the
// rest of the request is another.
func (s *source) repeated(m *newContact, key domain.Key) bool {
	use, known := s.keys.find(key, m.At, s.catalog)
	if !known {
		return false
	}
	if use.Body != key.Body {
		s.port.Answer(domain.Refuse(domain.CodeKeyReused,
			"the idempotency key came before with another body, and made contact %d", use.Contact))
		return true
	}
	s.port.current.subject = int64(use.Contact)
	m.replayed = true
	s.port.Answer(nil)
	return true
}
