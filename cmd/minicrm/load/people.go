package load

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/brianvoe/gofakeit/v7"
)

const (
	// texts is how many different texts the contacts have.
	texts = 512
	// zipfShift flattens the head of Zipf's law: without it, one customer in a hundred thousand would write every
	// tenth contact.
	zipfShift = 50
)

// people are the customers, and what they write. Everything is JSON already.
type people struct {
	members []byte // of all customers, one behind the other: "email":"…","name":"…","phone":"…"
	ends    []int  // where each one's members end
	texts   []text
	leads   []atomic.Int64 // the id that the service gave to each; 0 = none yet
}

type text struct {
	plain  string
	quoted []byte
}

func newPeople(n int, seed uint64) *people {
	fake := gofakeit.New(seed | 1) // 0 would be a random seed
	p := &people{members: make([]byte, 0, n*96), ends: make([]int, n), leads: make([]atomic.Int64, n)}
	for i := range n {
		p.members = appendPerson(p.members, fake, i)
		p.ends[i] = len(p.members)
	}
	for range texts {
		plain := fake.Sentence(3 + fake.Number(0, 22))
		p.texts = append(p.texts, text{plain, strconv.AppendQuoteToASCII(nil, plain)})
	}
	return p
}

// appendPerson appends the members of customer i, whose email no other has.
func appendPerson(b []byte, fake *gofakeit.Faker, i int) []byte {
	first, last := fake.FirstName(), fake.LastName()
	b = append(b, `"email":"`...)
	b = append(b, letters(first)...)
	b = append(b, '.')
	b = append(b, letters(last)...)
	b = strconv.AppendInt(b, int64(i), 10)
	b = append(b, `@example.com","name":`...)
	b = strconv.AppendQuoteToASCII(b, first+" "+last)
	b = append(b, `,"phone":"+1 `...)
	b = append(b, fake.Phone()...)
	return append(b, '"')
}

// letters is what of a name can stand in any email address.
func letters(name string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' {
			return r
		}
		return -1
	}, strings.ToLower(name))
}

// person is the members of customer i.
func (p *people) person(i int) []byte {
	start := 0
	if i > 0 {
		start = p.ends[i-1]
	}
	return p.members[start:p.ends[i]]
}

// knows says whether the service has given customer i this lead before, or any lead yet.
func (p *people) knows(i int, lead int64) bool {
	return p.leads[i].CompareAndSwap(0, lead) || p.leads[i].Load() == lead
}

// told is how many customers have a lead.
func (p *people) told() (n int64) {
	for i := range p.leads {
		if p.leads[i].Load() != 0 {
			n++
		}
	}
	return n
}

// returning draws customers by Zipf's law.
func (p *people) returning(rng *rand.Rand, exponent float64) *rand.Zipf {
	return rand.NewZipf(rng, exponent, zipfShift, uint64(len(p.ends)-1))
}
