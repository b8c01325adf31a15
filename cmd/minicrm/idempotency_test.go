package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// keyed posts a contact with an idempotency key.
func (s *server) keyed(key, email, text string) (reply, error) {
	body := fmt.Sprintf(`{"source_id":1,"email":%q,"text":%q}`, email, text)
	return s.send("POST", "/v1/contacts", body, "Idempotency-Key", key)
}

// Catches: a key that a stop, a kill or a snapshot forgets; a repeat that shows the contact as it was; another body that
// passes for the same one.
func TestIdempotencyOverRestarts(t *testing.T) {
	data := t.TempDir()
	s := startServer(t, data, "")
	s.furnish(1, 100, []int{1, 2})
	const contacts = 40
	for i := range contacts {
		if got, err := s.keyed(fmt.Sprint("k", i), fmt.Sprintf("p%d@example.com", i%7), "hi"); err != nil || got.status != 201 {
			t.Fatalf("contact %d: %+v, %v", i, got, err)
		}
	}
	s.must("POST", "/v1/contacts/3/close", "", nil)
	repeat := func(when string) {
		t.Helper()
		for i := range contacts {
			got, err := s.keyed(fmt.Sprint("k", i), fmt.Sprintf("p%d@example.com", i%7), "hi")
			var c contactJSON
			if err != nil || json.Unmarshal([]byte(got.body), &c) != nil || got.status != 200 || c.ID != int64(i+1) ||
				got.header.Get("Idempotent-Replayed") != "true" || (c.Status == "closed") != (c.ID == 3) {
				t.Errorf("%s: key %d: %+v, %v", when, i, got, err)
			}
			if got, err := s.keyed(fmt.Sprint("k", i), "p@example.com", "ho"); err != nil || got.code() != "idempotency_key_reused" || got.status != 422 {
				t.Errorf("%s: key %d with another body: %+v, %v", when, i, got, err)
			}
		}
		if n := len(list[contactJSON](s, "/v1/contacts")); n != contacts {
			t.Fatalf("%s: %d contacts", when, n)
		}
	}
	repeat("at once")
	s.kill()
	s = startServer(t, data, "")
	repeat("after a kill")
	s.must("POST", "/v1/snapshots", "", nil)
	if code := s.terminate(); code != 0 {
		t.Errorf("exit status %d", code)
	}
	s = startServer(t, data, "")
	repeat("after a stop, from a snapshot")
	s.kill()
	wantRun(t, 0, fmt.Sprintf("state: %d contacts", contacts), "wal", "verify", data)
}

// Catches: keys that are remembered for ever, for another time, or more of them than allowed.
func TestIdempotencyKeysAreForgotten(t *testing.T) {
	s := startServer(t, t.TempDir(), "", "--idempotency-max-keys=3")
	s.furnish(1, 100, []int{1})
	post := func(key string) int {
		got, err := s.keyed(key, "p@example.com", "")
		check(t, err)
		return got.status
	}
	for _, c := range []struct {
		key  string
		want int
	}{{"a", 201}, {"b", 201}, {"c", 201}, {"a", 200}, {"d", 201}, {"b", 200}, {"c", 200}, {"d", 200}, {"a", 201}, {"b", 201}} {
		if got := post(c.key); got != c.want {
			t.Errorf("key %s: status %d, want %d", c.key, got, c.want)
		}
	}
	s = startServer(t, t.TempDir(), "", "--idempotency-window=1s")
	s.furnish(1, 100, []int{1})
	start := time.Now()
	if got := post("a"); got != 201 {
		t.Errorf("status %d", got)
	}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for range tick.C {
		switch got, after := post("a"), time.Since(start); {
		case got == 201 && after < time.Second, got != 200 && got != 201, after > 20*time.Second:
			t.Fatalf("status %d after %v", got, after)
		case got == 201:
			return
		}
	}
}

// Catches: two copies of one request that race and make two contacts, single ones, those of batches, or one of each; a
// repeat that is answered before the original is on the disk: the server is killed while they race, and what was
// answered has to be there.
func TestRacingCopies(t *testing.T) {
	const keys, copies = 60, 8
	data := t.TempDir()
	s := startServer(t, data, "")
	s.furnish(1, 1000, []int{1, 2, 3})
	var mu sync.Mutex
	made := map[int][]int64{} // ids that were answered, by key
	heard := func(key int, id int64) {
		mu.Lock()
		defer mu.Unlock()
		made[key] = append(made[key], id)
	}
	race := func(killAfter int) {
		var racing sync.WaitGroup
		for c := range copies {
			racing.Go(func() {
				for key := range keys {
					if killAfter == key && c == 0 {
						s.kill()
						return
					}
					id, err := s.copyOf(key, c%2 == 1)
					if err != nil {
						if killAfter < 0 {
							t.Error(err)
						}
						return
					}
					heard(key, id)
				}
			})
		}
		racing.Wait()
	}
	race(keys / 2)
	s = startServer(t, data, "")
	race(-1)
	byID := map[int64]string{}
	for _, c := range list[contactView](s, "/v1/contacts") {
		byID[c.ID] = c.Text
	}
	if len(byID) != keys {
		t.Errorf("%d contacts of %d keys", len(byID), keys)
	}
	for key := range keys {
		ids := slices.Compact(slices.Sorted(slices.Values(made[key])))
		if len(ids) != 1 || byID[ids[0]] != fmt.Sprint("text ", key) {
			t.Errorf("key %d made the contacts %v", key, ids)
		}
	}
	s.kill()
	wantRun(t, 0, fmt.Sprintf("state: %d contacts", keys), "wal", "verify", data)
}

// copyOf sends a copy of the request with a key, alone or in a batch, and returns the contact's id.
func (s *server) copyOf(key int, inBatch bool) (int64, error) {
	body := fmt.Sprintf(`{"source_id":1,"email":"p%d@example.com","text":"text %d"}`, key%5, key)
	var c contactJSON
	if !inBatch {
		got, err := s.send("POST", "/v1/contacts", body, "Idempotency-Key", fmt.Sprint("key-", key))
		if err == nil && got.status != http.StatusOK && got.status != http.StatusCreated {
			err = fmt.Errorf("key %d: %d %s", key, got.status, got.body)
		}
		if err == nil {
			err = json.Unmarshal([]byte(got.body), &c)
		}
		return c.ID, err
	}
	item := strings.Replace(body, "{", fmt.Sprintf(`{"idempotency_key":"key-%d",`, key), 1)
	results, err := s.batch("[" + item + "," + item + "]")
	if err != nil {
		return 0, err
	}
	if len(results) != 2 || results[0].Contact.ID != results[1].Contact.ID || !results[1].Replayed || results[1].Status != 200 {
		return 0, fmt.Errorf("key %d twice in a batch: %+v", key, results)
	}
	return results[0].Contact.ID, nil
}
