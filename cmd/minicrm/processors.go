package main

import (
	"os"
	"runtime"
)

// spareProcessor gives Go's scheduler one processor more than it takes by itself, which is the machine's or as many as the
// container's CPU limit allows: under load the journal's fsync holds one nearly all the time. Who set GOMAXPROCS is obeyed.
func spareProcessor() {
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + 1)
	}
}
