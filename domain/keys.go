package domain

import (
	"crypto/sha256"
	"encoding/binary"
)

// A gateway that heard no answer sends its request again, with the same idempotency key. Keys are remembered by source,
// for a window of time and up to a number of them, so that the repeat is answered with the contact that the first made.

// MaxKey is the limit of an idempotency key in bytes.
const MaxKey = 255

// The defaults of how long and how many keys are remembered.
const (
	DefaultKeyWindow Time = microsADay
	DefaultMaxKeys        = 5_000_000
)

// Key is an idempotency key and the body that it came with, as digests: neither is kept itself. Two keys of one source
// have the same digest with a chance of 2^-128.
type Key struct {
	Digest [16]byte // of the source and the key; zero = no key
	Body   uint64   // of the rest of the request
}

// Given says whether there is a key.
func (k Key) Given() bool { return k.Digest != [16]byte{} }

// Identity is the request's key; zero when it has none.
func (n *NewContact) Identity() Key {
	if n.Key == "" {
		return Key{}
	}
	var k Key
	digest := sha256.Sum256(binary.BigEndian.AppendUint64([]byte(n.Key), uint64(n.Source)))
	copy(k.Digest[:], digest[:])
	var body []byte
	for _, field := range []string{n.Email, n.Name, n.Phone, n.Text} {
		body = binary.AppendUvarint(body, uint64(len(field)))
		body = append(body, field...)
	}
	digest = sha256.Sum256(append(body, byte(n.Priority)))
	k.Body = binary.BigEndian.Uint64(digest[:])
	return k
}

// ValidateKey checks an idempotency key.
func ValidateKey(key string) error {
	var bad fieldErrors
	bad.key("idempotency_key", key)
	return bad.err()
}

func (f *fieldErrors) key(field, key string) {
	if len(key) < 1 || len(key) > MaxKey {
		f.add(field, "must have 1 to %d characters, has %d", MaxKey, len(key))
		return
	}
	for i := range len(key) {
		if key[i] < '!' || key[i] > '~' {
			f.add(field, "must have visible ASCII characters only")
			return
		}
	}
}

// KeyUse is one use of a key: the contact that it made.
type KeyUse struct {
	Key
	Contact ContactID
	At      Time
}

// keyBlock is the number of uses in one block of a keyring.
const keyBlock = 1024

// keyring remembers the uses of keys, the oldest first. What it has of one is 40 bytes and a place in the index.
type keyring struct {
	window Time
	limit  int

	blocks  [][]KeyUse // all but the last are full
	first   uint64     // number of the first use in blocks
	oldest  uint64     // number of the oldest use that is remembered
	next    uint64     // number of the next
	index   map[[16]byte]uint64
	evicted uint64 // uses that were forgotten because there were too many
}

func newKeyring() keyring {
	return keyring{window: DefaultKeyWindow, limit: DefaultMaxKeys, index: map[[16]byte]uint64{}}
}

// find is the latest use of a key that is young enough at a moment.
func (k *keyring) find(digest [16]byte, at Time) (KeyUse, bool) {
	n, known := k.index[digest]
	if !known {
		return KeyUse{}, false
	}
	use := *k.use(n)
	return use, at-use.At < k.window
}

func (k *keyring) use(n uint64) *KeyUse {
	n -= k.first
	return &k.blocks[n/keyBlock][n%keyBlock]
}

func (k *keyring) add(use KeyUse) {
	if n := len(k.blocks); n == 0 || len(k.blocks[n-1]) == keyBlock {
		k.blocks = append(k.blocks, make([]KeyUse, 0, keyBlock))
	}
	last := &k.blocks[len(k.blocks)-1]
	*last = append(*last, use)
	k.index[use.Digest] = k.next
	k.next++
}

// forget drops what is too old at a moment, and what is too much.
func (k *keyring) forget(at Time) {
	for k.oldest < k.next {
		use := k.use(k.oldest)
		young := at-use.At < k.window
		if young && int64(k.next-k.oldest) <= int64(k.limit) {
			return
		}
		if young {
			k.evicted++
		}
		if k.index[use.Digest] == k.oldest {
			delete(k.index, use.Digest)
		}
		k.oldest++
		if k.oldest-k.first == keyBlock {
			k.first += keyBlock
			k.blocks = k.blocks[1:]
		}
	}
}

// uses lists what is remembered, as it is now.
func (k *keyring) uses() keyView {
	return keyView{blocks: append([][]KeyUse(nil), k.blocks...), skip: int(k.oldest - k.first), count: int(k.next - k.oldest)}
}

// keyView is a frozen keyring: later uses are behind the ends of its blocks.
type keyView struct {
	blocks      [][]KeyUse
	skip, count int
}

func (v keyView) all(yield func(*KeyUse) bool) {
	for n := range v.count {
		n += v.skip
		if !yield(&v.blocks[n/keyBlock][n%keyBlock]) {
			return
		}
	}
}

// LimitKeys says for how long and how many keys are remembered.
func (c *Catalog) LimitKeys(window Time, limit int) {
	c.keys.window, c.keys.limit = window, limit
	c.keys.forget(c.last)
}

// KeyUse finds the contact that a key made, if it is remembered at a moment.
func (c *Catalog) KeyUse(k Key, at Time) (KeyUse, bool) { return c.keys.find(k.Digest, at) }

// KeyCount is the number of keys that are remembered, and how many were forgotten early because there were too many.
func (c *Catalog) KeyCount() (remembered int, evicted uint64) {
	return int(c.keys.next - c.keys.oldest), c.keys.evicted
}
