package httpapi

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"sync/atomic"
	"time"

	"go.yaml.in/yaml/v3"

	"minicrm/domain"
)

// Limits of the keys file.
const (
	MaxKeysFile   = 1 << 20 // bytes
	maxKeys       = 10_000
	maxKeySources = 1000
)

// keyPrefix lets people and secret scanners recognise a key.
const keyPrefix = "mcrm_"

// Key is one line of the keys file: who may do what. The key itself is not in it, only its hash.
type Key struct {
	Name    string
	Role    Role
	Sources []domain.SourceID // of a gateway, ascending; nil = every source
	Expires time.Time         // zero = never

	hash [sha256.Size]byte
}

// serves says whether a key's holder may touch contacts of a source. Without a key everybody may.
func (k *Key) serves(source domain.SourceID) bool {
	if !k.restricted() {
		return true
	}
	_, found := slices.BinarySearch(k.Sources, source)
	return found
}

// restricted says whether a key is for some sources only.
func (k *Key) restricted() bool { return k != nil && k.Sources != nil }

// NewKey is a fresh random key.
func NewKey() string {
	random := make([]byte, 32)
	_, _ = rand.Read(random) // never fails
	return keyPrefix + base64.RawURLEncoding.EncodeToString(random)
}

// HashKey is what the keys file has of a key.
func HashKey(key string) string {
	hash := sha256.Sum256([]byte(key))
	return hex.EncodeToString(hash[:])
}

// Keys is a keys file that was read. It does not change.
type Keys struct{ byHash map[[sha256.Size]byte]*Key }

// Len is the number of keys.
func (k *Keys) Len() int { return len(k.byHash) }

// find looks a key up by its hash, so the time that it takes tells of hashes, from which no key can be made. The compare
// takes the same time whatever it finds.
func (k *Keys) find(hash [sha256.Size]byte) *Key {
	found := k.byHash[hash]
	if found == nil || subtle.ConstantTimeCompare(found.hash[:], hash[:]) != 1 {
		return nil
	}
	return found
}

// Keyring holds the keys in use, which can be replaced at any time.
type Keyring struct{ now atomic.Pointer[Keys] }

// NewKeyring is a keyring with these keys.
func NewKeyring(k *Keys) *Keyring {
	r := new(Keyring)
	r.Replace(k)
	return r
}

// Replace puts other keys into use: what was not checked yet is checked with them.
func (r *Keyring) Replace(k *Keys) { r.now.Store(k) }

// keyEntry is an entry of the file as it is written.
type keyEntry struct {
	Name    string            `yaml:"name"`
	Role    string            `yaml:"role"`
	SHA256  string            `yaml:"sha256"`
	Sources []domain.SourceID `yaml:"sources,omitempty,flow"`
	Expires string            `yaml:"expires,omitempty"`
}

// KeyEntry is a line for the keys file, for a key that was just made.
func KeyEntry(key, name, role string, sources []domain.SourceID, expires string) (string, error) {
	text, err := yaml.Marshal([]keyEntry{{name, role, HashKey(key), sources, expires}})
	if err != nil {
		return "", fmt.Errorf("write the entry: %w", err)
	}
	if _, err := ParseKeys(text); err != nil {
		return "", err
	}
	return string(text), nil
}

// ParseKeys reads a keys file whole, or says what is wrong with it: a file with one bad entry is not used at all. An empty
// one is bad too, for it is what an editor leaves for a moment, and it would lock out everybody.
func ParseKeys(text []byte) (*Keys, error) {
	if len(text) > MaxKeysFile {
		return nil, fmt.Errorf("it has more than %d bytes", MaxKeysFile)
	}
	var entries []*keyEntry // YAML leaves nulls out of a list of values
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	switch err := d.Decode(&entries); {
	case errors.Is(err, io.EOF) || err == nil && len(entries) == 0:
		return nil, errors.New("it has no keys")
	case err != nil:
		return nil, fmt.Errorf("not a list of keys: %w", err)
	case !errors.Is(d.Decode(new(yaml.Node)), io.EOF):
		return nil, errors.New("it has more than one document")
	case len(entries) > maxKeys:
		return nil, fmt.Errorf("it has more than %d keys", maxKeys)
	}
	keys := &Keys{byHash: make(map[[sha256.Size]byte]*Key, len(entries))}
	names := make(map[string]bool, len(entries))
	for i, entry := range entries {
		key, err := entry.key()
		switch {
		case err == nil && names[key.Name]:
			err = errors.New("another key has the same name")
		case err == nil && keys.byHash[key.hash] != nil:
			err = errors.New("another entry has the same sha256")
		}
		if err != nil {
			return nil, fmt.Errorf("key %d: %w", i+1, err)
		}
		names[key.Name], keys.byHash[key.hash] = true, key
	}
	return keys, nil
}

var keyName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// key checks an entry.
func (e *keyEntry) key() (*Key, error) {
	if e == nil {
		return nil, errors.New("it is empty")
	}
	k := &Key{Name: e.Name, Role: roleNames[e.Role], Sources: slices.Sorted(slices.Values(e.Sources))}
	if !keyName.MatchString(e.Name) {
		return nil, errors.New("name must have 1 to 64 of the characters A-Z a-z 0-9 . _ -, a letter or digit first")
	}
	if k.Role == 0 {
		return nil, errors.New("role must be gateway, viewer or admin")
	}
	hash, err := hex.DecodeString(e.SHA256)
	if err != nil || len(hash) != sha256.Size {
		return nil, errors.New("sha256 must have 64 hex digits")
	}
	k.hash = [sha256.Size]byte(hash)
	if k.hash == sha256.Sum256(nil) {
		return nil, errors.New("sha256 is that of an empty key")
	}
	if err := e.checkSources(k); err != nil {
		return nil, err
	}
	k.Expires, err = parseExpiry(e.Expires)
	return k, err
}

func (e *keyEntry) checkSources(k *Key) error {
	switch {
	case e.Sources == nil:
		return nil
	case k.Role != RoleGateway:
		return errors.New("sources are for gateways; the other roles see all")
	case len(k.Sources) == 0:
		return errors.New("sources must name one at least; without sources, the key is for all")
	case len(k.Sources) > maxKeySources:
		return fmt.Errorf("sources must name %d at most", maxKeySources)
	case k.Sources[0] < 1 || len(slices.Compact(slices.Clone(k.Sources))) < len(k.Sources):
		return errors.New("sources must be ids, each once")
	}
	return nil
}

// parseExpiry reads a moment, or a day, at whose begin in UTC the key ends.
func parseExpiry(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if at, err := time.Parse(layout, text); err == nil && at.Year() > 1 {
			return at, nil
		}
	}
	return time.Time{}, errors.New("expires must be like 2027-01-31 or 2027-01-31T12:00:00Z")
}
