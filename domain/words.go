package domain

import "strings"

// words is what people wrote in the items of one page, one behind the other. The buffer is only ever written to behind
// its end, so a string that was cut out of it stays as it is: readers and frozen views share its bytes. What no item has
// any more stays in it until all that is left is packed into a new one.
type words struct {
	buffer *strings.Builder
	dead   int // bytes that no item has any more
}

// newWords has room for so many bytes.
func newWords(room int) *words {
	w := &words{buffer: new(strings.Builder)}
	w.buffer.Grow(room)
	return w
}

// wordsRoom is the least that a full buffer grows by.
const wordsRoom = 256

// put adds words behind all others. The buffer grows by an eighth: it has about its final size from the beginning, and
// most of a doubling would stay empty for ever.
func (w *words) put(text string) (at uint32) {
	if text == "" {
		return 0
	}
	length := w.buffer.Len()
	if length+len(text) > w.buffer.Cap() {
		grown := newWords(length + length/8 + wordsRoom + len(text))
		grown.buffer.WriteString(w.buffer.String())
		w.buffer = grown.buffer
	}
	w.buffer.WriteString(text)
	return uint32(length)
}

// worded is an item of a table, which knows where its words are.
type worded[T any] interface {
	*T
	// words hands each of them to fn: where it is in the words of the page, to be changed when it is moved, and its length.
	words(fn func(at *uint32, length int))
}

// table is pages of items with words. The items have no pointers: with the strings in them, each garbage collection would
// have to look at every one of millions, while commits wait.
type table[T any, P worded[T]] struct {
	pages[T]
	words []*words // by page; nil = it has none
}

// write keeps words for the item at a position.
func (t *table[T, P]) write(at int64, text string) uint32 {
	if text == "" {
		return 0
	}
	n := at / pageSize
	for n >= int64(len(t.words)) {
		t.words = append(t.words, nil)
	}
	if t.words[n] == nil {
		t.words[n] = newWords(t.roomOf(n - 1))
	}
	return t.words[n].put(text)
}

// roomOf is how many bytes the words of a page are: the next page will have about as many.
func (t *table[T, P]) roomOf(n int64) int {
	if n < 0 || t.words[n] == nil {
		return 0
	}
	return t.words[n].buffer.Len() - t.words[n].dead
}

// discard says that an item has so many bytes of its words no more. A page where more than half are dead is packed.
func (t *table[T, P]) discard(at int64, bytes int) {
	if bytes == 0 {
		return
	}
	n := at / pageSize
	w := t.words[n]
	if w.dead += bytes; w.dead > w.buffer.Len()/2 {
		t.pack(n)
	}
}

// pack builds the words of a page anew, without the dead ones: these are forgotten, but for frozen views.
func (t *table[T, P]) pack(n int64) {
	if n >= int64(len(t.words)) || t.words[n] == nil || t.words[n].dead == 0 {
		return
	}
	old, packed := t.words[n], newWords(t.roomOf(n))
	page := old.buffer.String()
	t.edit(n * pageSize)
	for i := range t.list[n].items {
		P(&t.list[n].items[i]).words(func(at *uint32, length int) { *at = packed.put(page[*at:][:length]) })
	}
	t.words[n] = packed
}

// textOf is all the words of the page that has the item at a position.
func (t *table[T, P]) textOf(at int64) string {
	if n := at / pageSize; n < int64(len(t.words)) && t.words[n] != nil {
		return t.words[n].buffer.String()
	}
	return ""
}

// drop frees a page and its words.
func (t *table[T, P]) drop(n int64) {
	t.pages.drop(n)
	if n < int64(len(t.words)) {
		t.words[n] = nil
	}
}

// freeze is a view of the table as it is now.
func (t *table[T, P]) freeze() tableView[T] {
	t.pages.freeze()
	v := t.view()
	v.items = append(view[T](nil), v.items...)
	return v
}

// view is what freeze gives, but only until the table changes.
func (t *table[T, P]) view() tableView[T] {
	v := tableView[T]{items: t.list, words: make([]string, len(t.words))}
	for n, w := range t.words {
		if w != nil {
			v.words[n] = w.buffer.String()
		}
	}
	return v
}

// tableView is a frozen table: later words are behind the ends of its own.
type tableView[T any] struct {
	items view[T]
	words []string // by page
}

func (v tableView[T]) get(at int64) *T { return v.items.get(at) }

func (v tableView[T]) textOf(at int64) string {
	if n := at / pageSize; n < int64(len(v.words)) {
		return v.words[n]
	}
	return ""
}
