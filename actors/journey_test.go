package actors

import (
	"context"
	"slices"
	"testing"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"minicrm/domain"
)

// startTraced runs a dispatcher whose spans arrive in the recorder.
func startTraced(t *testing.T) (*Dispatcher, trace.Tracer, *tracetest.SpanRecorder) {
	recorder := tracetest.NewSpanRecorder()
	tracer := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder), sdktrace.WithSampler(sdktrace.AlwaysSample())).Tracer("test")
	o := options(&memoryJournal{})
	o.Tracer = tracer
	d, _ := startWith(t, o)
	furnish(t, d, 2, 2, 10)
	return d, tracer, recorder
}

// Catches: an actor that a command passes unseen, a span that begins before the one before it ended or ends after the
// answer, one that hangs on another parent, a batch with as many spans as it has contacts, a wait that is not measured.
func TestCommandsAreTraced(t *testing.T) {
	d, tracer, recorder := startTraced(t)
	by := domain.Stamp{At: 5}
	contact := func(source domain.SourceID) domain.NewContact {
		return domain.NewContact{Source: source, Email: "a@example.com"}
	}
	for _, c := range []struct {
		name string
		do   func(ctx context.Context) error
		want []string
	}{
		{"contact", func(ctx context.Context) error { _, _, err := d.CreateContact(ctx, contact(1), by); return err },
			[]string{"leads", "source", "journal"}},
		{"batch", func(ctx context.Context) error {
			_, err := d.CreateContacts(ctx, []domain.NewContact{contact(1), contact(2), contact(1), contact(9)}, by)
			return err
		}, []string{"leads", "source", "journal"}},
		{"close", func(ctx context.Context) error { _, err := d.CloseContact(ctx, 1, "", by); return err },
			[]string{"source", "journal"}},
		{"reopen", func(ctx context.Context) error { _, err := d.ReopenContact(ctx, 1, by); return err },
			[]string{"leads", "source", "journal"}},
		{"release", func(ctx context.Context) error { _, err := d.ReleaseContact(ctx, 1, by); return err },
			[]string{"source", "journal"}},
		{"release all", func(ctx context.Context) error { _, err := d.ReleaseAll(ctx, 1, by); return err },
			[]string{"source", "journal"}},
		{"operator", func(ctx context.Context) error {
			_, err := d.CreateOperator(ctx, domain.NewOperator{Name: "op"}, by)
			return err
		}, []string{"operators", "journal"}},
		{"source", func(ctx context.Context) error {
			_, err := d.CreateSource(ctx, domain.NewSource{Name: "s"}, by)
			return err
		}, []string{"source", "journal"}},
		{"refusal", func(ctx context.Context) error {
			if _, err := d.CreateLead(ctx, domain.NewLead{Email: "a@example.com"}, by); err == nil {
				t.Error("the lead was made twice")
			}
			return nil
		}, []string{"leads", "journal"}},
	} {
		recorder.Reset()
		ctx, parent := tracer.Start(t.Context(), c.name)
		if err := c.do(ctx); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		checkJourney(t, c.name, parent.(sdktrace.ReadOnlySpan), recorder.Ended(), c.want)
	}
}

func checkJourney(t *testing.T, name string, parent sdktrace.ReadOnlySpan, spans []sdktrace.ReadOnlySpan, want []string) {
	t.Helper()
	var names []string
	last, answered := parent.StartTime(), time.Now()
	for _, s := range spans {
		names = append(names, s.Name())
		if s.Parent().SpanID() != parent.SpanContext().SpanID() {
			t.Errorf("%s: %s has another parent", name, s.Name())
		}
		if s.StartTime().Before(last) || s.EndTime().Before(s.StartTime()) || s.EndTime().After(answered) {
			t.Errorf("%s: %s is from %v to %v, after %v and before %v", name, s.Name(), s.StartTime(), s.EndTime(), last, answered)
		}
		last = s.EndTime()
		wait := s.Attributes()[0].Value.AsFloat64()
		if wait <= 0 || wait > s.EndTime().Sub(s.StartTime()).Seconds() {
			t.Errorf("%s: %s waited %v s", name, s.Name(), wait)
		}
	}
	if !slices.Equal(names, want) {
		t.Errorf("%s: spans %v, want %v", name, names, want)
	}
}

// Catches: a command that is not traced and pays for traces all the same, be it that nobody traces or that it was not
// sampled.
func TestUntracedCommandsAllocateNothingForIt(t *testing.T) {
	traced, tracer, _ := startTraced(t)
	plain, _ := start(t, &memoryJournal{})
	furnish(t, plain, 2, 2, 10)
	recording, _ := tracer.Start(t.Context(), "recording")
	allocs := func(d *Dispatcher, ctx context.Context) float64 {
		lead, err := d.CreateLead(ctx, domain.NewLead{Email: "a@example.com"}, domain.Stamp{At: 3})
		if err != nil {
			t.Fatal(err)
		}
		return testing.AllocsPerRun(1000, func() { // through leads and journal, without a record
			if _, err := d.ChangeLead(ctx, lead.ID, domain.LeadPatch{}, domain.Stamp{At: 4}); err != nil {
				t.Error(err)
			}
		})
	}
	off := allocs(plain, recording)
	if unsampled := allocs(traced, t.Context()); unsampled > off {
		t.Errorf("%v allocations for a command that was not sampled, and %v where nobody traces", unsampled, off)
	}
	traced2, tracer, _ := startTraced(t)
	recording, _ = tracer.Start(t.Context(), "recording")
	if sampled := allocs(traced2, recording); sampled <= off {
		t.Errorf("%v allocations for a traced command, and %v for others: the test measures nothing", sampled, off)
	}
}
