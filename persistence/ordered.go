package persistence

import (
	"errors"
	"runtime"
	"sync"
)

// errStopped tells a producer that nobody wants more.
var errStopped = errors.New("stopped")

// inOrder decodes in parallel and applies in order:
//
//	produce ──► work, on as many goroutines as there are processors ──► consume, in the order of produce
//
// produce runs on a goroutine of its own and hands over job by job; consume runs on the caller's. Only a few jobs are
// under way at a time, so memory is bounded. The error is the first in that order, and all goroutines have ended by then.
func inOrder[J, R any](produce func(emit func(J) error) error, work func(J) R, consume func(R) error) error {
	type task struct {
		job    J
		result chan R
	}
	workers := runtime.GOMAXPROCS(0)
	var (
		todo    = make(chan task, 2*workers)
		ordered = make(chan task, 2*workers)
		stop    = make(chan struct{})
		all     sync.WaitGroup
		failed  error // of produce; to be read after ordered was closed
	)
	all.Go(func() {
		defer close(ordered)
		defer close(todo)
		failed = produce(func(job J) error {
			t := task{job, make(chan R, 1)}
			select {
			case ordered <- t:
				todo <- t // has as much room as ordered, and the workers never wait
				return nil
			case <-stop:
				return errStopped
			}
		})
	})
	for range workers {
		all.Go(func() {
			for t := range todo {
				t.result <- work(t.job)
			}
		})
	}
	err := func() error {
		for t := range ordered {
			if err := consume(<-t.result); err != nil {
				return err
			}
		}
		return failed
	}()
	close(stop)
	all.Wait()
	return err
}
