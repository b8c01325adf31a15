package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/anishathalye/porcupine"
)

// explained is the end of the order that explains most of an illegal history, with what may come next and cannot.
func explained(model porcupine.Model, info porcupine.LinearizationInfo, operations []porcupine.Operation) string {
	var longest []int
	for _, partial := range info.PartialLinearizations()[0] {
		if len(partial) > len(longest) {
			longest = partial
		}
	}
	state := model.Init()
	var b strings.Builder
	fmt.Fprintf(&b, "an order explains %d of %d commands; its end:\n", len(longest), len(operations))
	for i, id := range longest {
		o := operations[id]
		_, state = model.Step(state, o.Input, o.Output)
		if i >= len(longest)-25 {
			fmt.Fprintf(&b, "  [%d %d] client %d: %s\n", o.Call, o.Return, o.ClientId, model.DescribeOperation(o.Input, o.Output))
		}
	}
	fmt.Fprintf(&b, "then it may be that %s\nand one of these comes next:\n", model.DescribeState(state))
	left := int64(unanswered) // the earliest end of what is left: what begins later cannot be next
	for id, o := range operations {
		if !slices.Contains(longest, id) {
			left = min(left, o.Return)
		}
	}
	for id, o := range operations {
		if !slices.Contains(longest, id) && o.Call <= left {
			fmt.Fprintf(&b, "  [%d %d] client %d: %s\n", o.Call, o.Return, o.ClientId, model.DescribeOperation(o.Input, o.Output))
		}
	}
	return b.String()
}

// String lists what matters: operators, and contacts that are not closed.
func (s modelState) String() string {
	var b strings.Builder
	for i, o := range s.operators {
		if o.exists {
			fmt.Fprintf(&b, "op%d %d/%d active %t tight %t; ", i, o.load, o.maxLoad, o.active, o.tight)
		}
	}
	last := 0
	for i, c := range s.contacts {
		switch c.status {
		case isOpen:
			fmt.Fprintf(&b, "%d open, ", i)
		case isAssigned:
			fmt.Fprintf(&b, "%d op%d, ", i, c.holder-1)
		case isClosed, unborn:
		}
		if c.status != unborn {
			last = i
		}
	}
	return fmt.Sprintf("%s the last contact is %d", b.String(), last)
}
