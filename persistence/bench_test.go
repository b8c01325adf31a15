package persistence

import (
	"fmt"
	"testing"

	"google.golang.org/protobuf/proto"

	"minicrm/domain"
	"minicrm/persistence/journalpb"
)

// BenchmarkEncode writes the record of most contacts: by the codec, and by protobuf's generated code with messages that
// are made once and filled for each record, which is the least that it can cost.
func BenchmarkEncode(b *testing.B) {
	r := assigned()
	b.Run("codec", func(b *testing.B) {
		var g group
		b.ReportAllocs()
		for b.Loop() {
			g.clear()
			g.add(1, r)
		}
		b.SetBytes(int64(g.size))
	})
	b.Run("protobuf", func(b *testing.B) {
		pb := newReused()
		var buf []byte
		b.ReportAllocs()
		for b.Loop() {
			var err error
			if buf, err = (proto.MarshalOptions{}).MarshalAppend(buf[:0], pb.fill(r)); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// reused are the messages of one record as assigned makes them.
type reused struct {
	group    journalpb.Group
	created  journalpb.ContactCreated
	assigned journalpb.ContactAssigned
}

func newReused() *reused {
	pb := &reused{}
	pb.assigned.Among = &journalpb.Among{}
	pb.group.Records = []*journalpb.Record{{Events: []*journalpb.Event{
		{Event: &journalpb.Event_ContactCreated{ContactCreated: &pb.created}},
		{Event: &journalpb.Event_ContactAssigned{ContactAssigned: &pb.assigned}},
	}}}
	return pb
}

func (pb *reused) fill(r domain.Record) *journalpb.Group {
	pb.group.First, pb.group.Records[0].At = 1, int64(r.At)
	created, assigned := r.Events[0].(*domain.ContactCreated), r.Events[1].(*domain.ContactAssigned)
	pb.created.Id, pb.created.Source, pb.created.Lead = int64(created.ID), int64(created.Source), int64(created.Lead)
	pb.created.Text = created.Text
	pb.assigned.Id, pb.assigned.Source = int64(assigned.ID), int64(assigned.Source)
	pb.assigned.Operator, pb.assigned.From = int64(assigned.Operator), int64(assigned.From)
	pb.assigned.How, pb.assigned.Among.Kind = journalpb.How(assigned.How), journalpb.SetKind(assigned.Among.Kind)
	return &pb.group
}

// BenchmarkDecode reads entries of 100 such records: by the codec, and by protobuf's generated code without the way on
// to package domain's types.
func BenchmarkDecode(b *testing.B) {
	const records = 100
	var g group
	for i := range records {
		g.add(uint64(i+1), assigned())
	}
	perRecord := func(b *testing.B) {
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*records), "ns/record")
	}
	b.Run("codec", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, _, err := readGroup(g.payload()); err != nil {
				b.Fatal(err)
			}
		}
		perRecord(b)
	})
	b.Run("protobuf", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var pb journalpb.Group
			if err := proto.Unmarshal(g.payload()[1:], &pb); err != nil {
				b.Fatal(err)
			}
		}
		perRecord(b)
	})
}

// BenchmarkJournalAppend adds and commits groups to a journal on the disk of the temporary directory, with fsync. Their
// sizes vary, as texts do: groups that all have one that divides a sector would end in the same places of it.
func BenchmarkJournalAppend(b *testing.B) {
	const words = "Where is the parcel that was to come last week?"
	for _, records := range []int{1, 10, 100} {
		b.Run(fmt.Sprintf("group=%d", records), func(b *testing.B) {
			j, err := OpenJournal(b.TempDir(), Options{})
			if err != nil {
				b.Fatal(err)
			}
			replay(b, j)
			r := assigned()
			b.ReportAllocs()
			for b.Loop() {
				for range records {
					j.Add(r)
				}
				r.By = words[:(len(r.By)+1)%len(words)]
				commit(b, j)
			}
			b.ReportMetric(float64(b.N*records)/b.Elapsed().Seconds(), "records/s")
			if err := j.Close(); err != nil {
				b.Fatal(err)
			}
		})
	}
}
