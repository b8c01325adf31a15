package httpapi

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"minicrm/domain"
)

// itemSeeds are contacts of a batch, good and bad.
var itemSeeds = []string{
	post, `{}`, `7`, `null`, `[]`, ` {"source_id" : 12 , "email":"a@b" } `, `{"source_id":1,"email":"a@b","priority":9,"idempotency_key":"k"}`,
	`{"source_id":1,"email":"\u0061@b","text":"\ud83d\ude00\n\"\\"}`, `{"source_id":1,"email":"a@b","text":"\ud800"}`, `{"source_id":1,"email":"a@b","idempotency_key":""}`,
	`{"source_id":01,"email":"a@b"}`, `{"source_id":1e0,"email":"a@b"}`, `{"source_id":1,"source_id":1,"email":"a@b"}`, `{"source_id":1,"email":"a@b",}`,
	`{"source_id":999999999999999999,"email":"a@b"}`, `{"source_id":9223372036854775807,"email":"a@b"}`, `{"source_id":-1,"email":"a@b"}`, "{\"email\":\"\xff\"}",
	`{"source_id":1,"email":"a@b"}}`, `{"source_id":1,"email":"a@b"`, `{"source_id":1 "email":"a@b"}`, `{"s\u006furce_id":1,"email":"a@b"}`, `{"text":{"a":[1,{}]}}`,
	"{\"source_id\":1,\"email\":\"a@b\",\"text\":\"\x01\"}",
}

// Catches: the quick way to read a contact accepting what the careful one refuses, or reading it differently; one of a
// single contact that takes a key in the body, or not what an item of a batch may be.
func FuzzBatchItem(f *testing.F) {
	for _, seed := range itemSeeds {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var quick contactReader
		quick.contact.Text = "left over"
		if !quick.quick([]byte(text), itemMembers) {
			return
		}
		if single := new(contactReader).quick([]byte(text), singleMembers); single != (quick.contact.Key == "") {
			t.Errorf("%q: quick as a single contact: %v", text, single)
		}
		want, err := carefulItem([]byte(text))
		if err != nil || quick.contact != want {
			t.Errorf("%q\nquick   %+v\ncareful %+v, %v", text, quick.contact, want, err)
		}
	})
}

// Catches: a plain contact that takes the slow way.
func TestPlainContactsAreReadQuickly(t *testing.T) {
	for _, text := range []string{post, itemSeeds[5], itemSeeds[6], itemSeeds[7]} {
		if !new(contactReader).quick([]byte(text), itemMembers) {
			t.Errorf("not quick: %s", text)
		}
	}
}

// Catches: any batch, whatever is in it, that is a 500, that has not one result for each item, or whose answer is no JSON.
func FuzzBatch(f *testing.F) {
	for _, seed := range itemSeeds {
		f.Add(seed, true)
		f.Add(seed+"\r\n\n"+post+"\n"+seed, true)
		f.Add("["+seed+","+post+"]", false)
		f.Add(seed, false)
	}
	f.Fuzz(func(t *testing.T, body string, lines bool) {
		e := newEdge(t)
		e.source()
		media := "application/json"
		if lines {
			media = ndjson
		}
		a := e.batch(media, body)
		if !slices.Contains([]int{200, 400, 413, 422}, a.status) || e.log.Len() > 0 || !jsontext.Value(a.body).IsValid() {
			t.Fatalf("%q: %d %s %s", body, a.status, a.body, e.log)
		}
		if lines && a.status == 400 {
			t.Errorf("%q: a line that is no JSON spoils the others: %s", body, a.body)
		}
		if a.status != 200 {
			return
		}
		got := len(a.json()["items"].([]any))
		if want := itemsOf(t, body, lines); got != want {
			t.Errorf("%q: %d results of %d", body, got, want)
		}
	})
}

// itemsOf counts the items of a batch in another way.
func itemsOf(t *testing.T, body string, lines bool) (n int) {
	if lines {
		for line := range strings.SplitSeq(body, "\n") {
			if strings.TrimSpace(line) != "" {
				n++
			}
		}
		return n
	}
	var items []jsontext.Value
	if err := json.Unmarshal([]byte(body), &items, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)); err != nil {
		t.Errorf("%q was answered, but: %v", body, err)
	}
	return len(items)
}

// Catches: an Idempotency-Key that is no key and makes a contact, one that is and does not, or a repeat that makes another.
func FuzzIdempotencyKey(f *testing.F) {
	for _, seed := range []string{"k", "", " ", "a b", "ä", strings.Repeat("k", 255), strings.Repeat("k", 256), "\x7f", "\"k\"", "\r\nX: y"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, key string) {
		e := newEdge(t)
		e.source()
		good := len(key) >= 1 && len(key) <= 255 && !strings.ContainsFunc(key, func(r rune) bool { return r < '!' || r > '~' }) && utf8.ValidString(key)
		a := e.keyed(post, key)
		if !good {
			a.problem(422, "invalid", "Idempotency-Key")
			return
		}
		first := a.ok()
		if again := e.keyed(post, key); a.status != 201 || again.status != 200 || again.ok()["id"] != first["id"] {
			t.Errorf("%q: %d, then %d %s", key, a.status, again.status, again.body)
		}
		item := `{"source_id":1,"email":"ada@example.org","name":"Ada","phone":"1","text":"hi","idempotency_key":` + strconv.QuoteToASCII(key) + `}`
		if got := e.batch("", `[`+item+`]`).results(200); got[0]["replayed"] != true {
			t.Errorf("%q in a batch: %v", key, got)
		}
	})
}

// contactMembers is a contact of the contract, for the encoder by reflection.
type contactMembers Contact

// Catches: a contact that is written by hand and differs from what an encoder writes: quotes, nulls, times.
func FuzzContactView(f *testing.F) {
	f.Add(int64(1), int64(2), int64(3), int64(4), uint8(1), uint8(1), "text \"\\\n\u2028\x00<", int64(1), int64(0), int64(1_700_000_000_000_001), "why")
	f.Add(int64(0), int64(0), int64(0), int64(0), uint8(3), uint8(0), "", int64(0), int64(1), int64(0), "")
	f.Fuzz(func(t *testing.T, id, source, lead, op int64, status, how uint8, text string, created, assigned, closed int64, reason string) {
		const year = 365 * 24 * 3600 * 1_000_000
		c := domain.Contact{
			ID: domain.ContactID(id), Source: domain.SourceID(source), Lead: domain.LeadID(lead), Operator: domain.OperatorID(op),
			Status: domain.Status(status%3 + 1), How: domain.How(how % 5), Priority: how % 10, Text: text, Reason: reason,
			CreatedAt: domain.Time(created % (8000 * year)), AssignedAt: domain.Time(assigned % (8000 * year)), ClosedAt: domain.Time(closed % (8000 * year)),
		}
		want, err := json.Marshal(&contactMembers{
			int64(c.ID), int64(c.Source), int64(c.Lead), orNull(int64(c.Operator)), c.Status.Name(), orNull(c.How.Name()), int(c.Priority), c.Text,
			moment(c.CreatedAt), orNull(moment(c.AssignedAt)), orNull(moment(c.ClosedAt)), orNull(c.Reason),
		}, jsontext.AllowInvalidUTF8(true))
		if err != nil {
			t.Fatal(err)
		}
		view := viewContact(c)
		if got := string(view.append(nil)); got != string(want) {
			t.Errorf("\n got %s\nwant %s", got, want)
		}
		inList, err := json.Marshal(&view, jsontext.AllowInvalidUTF8(true))
		if err != nil || string(inList) != string(want) {
			t.Errorf("in a list\n got %s\nwant %s, %v", inList, want, err)
		}
	})
}
