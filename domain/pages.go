package domain

// pageSize is the number of items in one page: what one change after a freeze copies.
const pageSize = 256

// pages is an array that grows, made of pages that are copied when they are written to after a freeze. So a frozen
// view can be read, without a lock and for as long as it takes, while the array changes. Positions start at 0.
type pages[T any] struct {
	list   []*page[T]
	epochs []uint64 // of each page: the freezes at the time when it was made; fewer than epoch = a frozen view may read it
	epoch  uint64   // counts freezes
}

// page has nothing but its items: with a word more, a page of contacts would take a tenth more memory than it has.
type page[T any] struct {
	items [pageSize]T
}

// get is the item at a position, to be read; nil beyond the end and in a page that has nothing.
func (p *pages[T]) get(at int64) *T { return view[T](p.list).get(at) }

// edit is the item at a position, to be written to; the array grows to have it.
func (p *pages[T]) edit(at int64) *T {
	n := at / pageSize
	for n >= int64(len(p.list)) {
		p.list, p.epochs = append(p.list, nil), append(p.epochs, 0)
	}
	switch {
	case p.list[n] == nil:
		p.list[n] = new(page[T])
		p.epochs[n] = p.epoch
	case p.epochs[n] < p.epoch:
		copied := *p.list[n]
		p.list[n] = &copied
		p.epochs[n] = p.epoch
	}
	return &p.list[n].items[at%pageSize]
}

// drop frees a page, if it is there.
func (p *pages[T]) drop(n int64) {
	if n < int64(len(p.list)) {
		p.list[n] = nil
	}
}

// freeze is a view of the array as it is now.
func (p *pages[T]) freeze() view[T] {
	p.epoch++
	return append(view[T](nil), p.list...)
}

// view is a frozen array.
type view[T any] []*page[T]

func (v view[T]) get(at int64) *T {
	if at < 0 || at >= int64(len(v))*pageSize {
		return nil
	}
	if v[at/pageSize] == nil {
		return nil
	}
	return &v[at/pageSize].items[at%pageSize]
}
