package storetest

import (
	"time"

	"github.com/usher-authz/usher/tuples"
)

// changesUpTo returns the log from its beginning up to a revision.
func (h *harness) changesUpTo(revision tuples.Revision) []tuples.Change {
	h.Helper()
	changes := h.changes(0)
	for len(changes) > 0 && changes[len(changes)-1].Revision > revision {
		changes = changes[:len(changes)-1]
	}
	return changes
}

// changes returns the log behind a revision and up to the head, each revision as one
// change: parts are joined, and waited for where they are still being written.
func (h *harness) changes(after tuples.Revision) []tuples.Change {
	h.Helper()
	var joined []tuples.Change
	for position := (tuples.LogPosition{Revision: after}); position.Revision < h.store.Head() || position.Parts > 0; {
		page, err := h.store.Changes(h.ctx, position, 3)
		h.must(err)
		if len(page) == 0 {
			time.Sleep(time.Millisecond)
		}
		for _, c := range page {
			position = c.Position()
			joined = h.join(joined, c)
		}
	}
	return joined
}

// join appends a change, or adds a part to the last one.
func (h *harness) join(joined []tuples.Change, c tuples.Change) []tuples.Change {
	h.Helper()
	if c.Part == 0 {
		return append(joined, c)
	}
	last := &joined[len(joined)-1]
	equal(h, "revision of a part", c.Revision, last.Revision)
	equal(h, "part", c.Part, last.Part+1)
	equal(h, "more before a part", last.More, true)
	equal(h, "cause of a part", c.Cause, last.Cause)
	equal(h, "time of a part", c.Time, last.Time)
	last.Part, last.More = c.Part, c.More
	last.Mutations = append(last.Mutations, c.Mutations...)
	return joined
}
