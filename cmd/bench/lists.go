package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"
)

const (
	deepCursors = 20 // places in the contacts from which each list is read
	listRounds  = 25 // times
)

// lists times GET /v1/contacts deep inside all contacts, with filters that many, few and nearly no contacts pass, one
// request at a time. A row for each filter.
func (c *growthCmd) lists(ctx context.Context, r *result, base string) error {
	var pages reader
	cursors, err := pages.walk(ctx, base)
	if err != nil {
		return err
	}
	worst := 0.0
	for _, filter := range []string{
		"", "status=assigned", "status=open", "status=closed&source_id=2", "status=closed&source_id=2&operator_id=11",
		"source_id=3", "operator_id=25&status=assigned", "lead_id=500", "lead_id=5&source_id=7&status=closed",
	} {
		var took []float64
		for range listRounds {
			for _, cursor := range cursors {
				begin := time.Now()
				if _, err := pages.fetch(ctx, base, filter+"&limit=50&after="+cursor); err != nil {
					return err
				}
				took = append(took, time.Since(begin).Seconds()*1e3)
			}
		}
		slices.Sort(took)
		p99 := took[len(took)*99/100]
		worst = max(worst, p99)
		r.note("GET /v1/contacts?%s from %d places deep inside: p50 %.2f ms, p99 %.2f ms.", filter, len(cursors), median(took), p99)
	}
	r.note("The slowest list's p99 in milliseconds: %s.", ratio(worst, -listTarget))
	return nil
}

// walk reads all contacts and returns cursors from the second half of the way.
func (r *reader) walk(ctx context.Context, base string) ([]string, error) {
	var all []string
	for after := ""; ; {
		body, err := r.fetch(ctx, base, "limit=1000&after="+after)
		if err != nil {
			return nil, err
		}
		next, err := cursorOf(body)
		if err != nil {
			return nil, err
		}
		if next == "" {
			break
		}
		all = append(all, next)
		after = next
	}
	half := all[len(all)/2:]
	var some []string
	for i := range min(deepCursors, len(half)) {
		some = append(some, half[i*len(half)/deepCursors])
	}
	if len(some) == 0 {
		return nil, fmt.Errorf("there are too few contacts to read lists deep inside of them")
	}
	return some, nil
}

// reader reads what a peer serves, all into the same memory: garbage collections of the client were most of what lists
// took at p99.
type reader struct{ body bytes.Buffer }

// fetch reads a page of contacts. It is good until the next.
func (r *reader) fetch(ctx context.Context, base, query string) ([]byte, error) {
	values, err := url.ParseQuery(query)
	if err != nil {
		return nil, err
	}
	if values.Get("after") == "" {
		values.Del("after")
	}
	return r.get(ctx, base+"/v1/contacts?"+values.Encode())
}

// get reads what is at a URL. It is good until the next.
func (r *reader) get(ctx context.Context, url string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }() // it was read
	r.body.Reset()
	_, err = r.body.ReadFrom(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("GET %s: %s: %s", req.URL, resp.Status, r.body.Bytes())
	}
	return r.body.Bytes(), err
}

// cursorOf is a page's cursor, "" at the end.
func cursorOf(body []byte) (string, error) {
	var page struct {
		Next *string `json:"next"`
	}
	if err := json.Unmarshal(body, &page); err != nil || page.Next == nil {
		return "", err
	}
	return *page.Next, nil
}
