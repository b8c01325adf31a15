package httpapi

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"
	"time"

	"minicrm/domain"
)

// Catches: a file that is read another way than it is written down in the README.
func TestParseKeys(t *testing.T) {
	keys, err := ParseKeys([]byte(`
# who may call
- name: telegram
  role: gateway
  sha256: ` + strings.ToUpper(HashKey("a")) + `
  sources: [3, 1]
  expires: 2030-01-31
- {name: ops, role: admin, sha256: ` + HashKey("b") + `, expires: "2030-01-31T12:00:00+02:00"}
`))
	if err != nil || keys.Len() != 2 {
		t.Fatal(keys, err)
	}
	telegram := keys.byHash[hashOf("a")]
	if telegram == nil || telegram.Name != "telegram" || telegram.Role != RoleGateway || fmt.Sprint(telegram.Sources) != "[1 3]" ||
		!telegram.Expires.Equal(time.Date(2030, 1, 31, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("%+v", telegram)
	}
	if ops := keys.byHash[hashOf("b")]; ops == nil || !ops.Expires.Equal(time.Date(2030, 1, 31, 10, 0, 0, 0, time.UTC)) || ops.restricted() {
		t.Errorf("%+v", ops)
	}
}

func hashOf(key string) [sha256.Size]byte { return sha256.Sum256([]byte(key)) }

// Catches: a file that is wrong in one place and is used all the same, and an error that does not say where.
func TestParseKeysRefuses(t *testing.T) {
	good := "- {name: ok, role: admin, sha256: " + HashKey("ok") + "}\n"
	if _, err := ParseKeys([]byte(good)); err != nil {
		t.Fatal(err)
	}
	other := HashKey("other")
	for text, want := range map[string]string{
		"":                            "no keys",
		"# nothing":                   "no keys",
		"[]":                          "no keys",
		"null":                        "no keys",
		good + "---\n" + good:         "more than one document",
		"keys: []":                    "not a list",
		"- {":                         "not a list",
		good + "- 1":                  "not a list",
		good + "- {nick: x}":          "nick not found",
		good + "- null":               "key 2: it is empty",
		good + "- {role: admin}":      "key 2: name",
		good + "- {name: a b}":        "key 2: name",
		good + "- {name: \"a\\nb\"}":  "key 2: name",
		good + "- {name: -a}":         "key 2: name",
		good + "- {name: a}":          "key 2: role",
		good + "- {name: a, role: A}": "key 2: role",
		good + "- {name: a, role: admin, sha256: " + other[1:] + "}":                                 "key 2: sha256",
		good + "- {name: a, role: admin, sha256: " + other + "00}":                                   "key 2: sha256",
		good + "- {name: a, role: admin, sha256: " + HashKey("") + "}":                               "empty key",
		good + "- {name: ok, role: admin, sha256: " + other + "}":                                    "same name",
		good + "- {name: a, role: admin, sha256: " + HashKey("ok") + "}":                             "same sha256",
		good + "- {name: a, role: viewer, sha256: " + other + ", sources: [1]}":                      "for gateways",
		good + "- {name: a, role: gateway, sha256: " + other + ", sources: []}":                      "one at least",
		good + "- {name: a, role: gateway, sha256: " + other + ", sources: [0]}":                     "ids, each once",
		good + "- {name: a, role: gateway, sha256: " + other + ", sources: [1, 2, 1]}":               "ids, each once",
		good + "- {name: a, role: gateway, sha256: " + other + ", sources: [x]}":                     "not a list",
		good + "- {name: a, role: admin, sha256: " + other + ", expires: tomorrow}":                  "expires",
		good + "- {name: a, role: admin, sha256: " + other + ", expires: 0001-01-01}":                "expires",
		good + "- {name: a, name: b, role: admin, sha256: " + other + "}":                            "already defined",
		good + "#" + strings.Repeat("x", MaxKeysFile):                                                "more than 1048576 bytes",
		good + "- {name: a, role: gateway, sha256: " + other + ", sources: [" + numbers(1001) + "]}": "1000 at most",
	} {
		keys, err := ParseKeys([]byte(text))
		if keys != nil || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.200q: %v, want %q", text, err, want)
		}
	}
}

func numbers(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%d,", i+1)
	}
	return strings.TrimSuffix(b.String(), ",")
}

// Catches: a key that can be guessed, that is not like the last, or whose line does not let it in.
func TestNewKey(t *testing.T) {
	key := NewKey()
	if len(key) != len(keyPrefix)+43 || !strings.HasPrefix(key, "mcrm_") || key == NewKey() {
		t.Errorf("%q", key)
	}
	text, err := KeyEntry(key, "chat", "gateway", []domain.SourceID{2}, "2030-01-01")
	if err != nil || strings.Contains(text, key) {
		t.Fatalf("%v in %s", err, text)
	}
	keys, err := ParseKeys([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	found, err := NewKeyring(keys).authenticate(map[string][]string{"Authorization": {"Bearer " + key}}, time.Unix(0, 0))
	if err != nil || found.Name != "chat" || !found.serves(2) || found.serves(1) {
		t.Errorf("%+v %v", found, err)
	}
	if _, err := KeyEntry(key, "a b", "gateway", nil, ""); err == nil {
		t.Error("a line was made that the file may not have")
	}
}
