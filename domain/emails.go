package domain

import "crypto/sha256"

// emails says which lead has an email. It knows emails by digest: as strings they would be an object for the garbage
// collector each. Two of them have the same digest with a chance of 2^-128.
type emails map[emailDigest]LeadID

type emailDigest [16]byte

func digestOf(email string) emailDigest {
	var room [MaxEmail]byte // on the stack
	digest := sha256.Sum256(append(room[:0], email...))
	return emailDigest(digest[:16])
}

func (e emails) find(email string) (LeadID, bool) {
	id, known := e[digestOf(email)]
	return id, known
}

func (e emails) add(email string, id LeadID) { e[digestOf(email)] = id }

func (e emails) remove(email string) { delete(e, digestOf(email)) }
