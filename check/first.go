package check

import (
	"context"

	"github.com/usher-authz/usher/tuples"
)

// first finds the first of many candidates, in memory for twice as many as are wanted. It
// belongs to an evaluator, and its room is used again.
type first struct {
	after      tuples.ID
	most       int
	candidates []candidate
	end        tuples.ID // ids behind it are not wanted any more, if there are more
	more       bool

	nodes []tuples.Node // to be named,
	known []candidate   // and what is known of them
	names []tuples.Object

	inOrder, byID sorter // of words and of candidates
}

const (
	// namesPerRead is how many names one read returns.
	namesPerRead = 256
	// candidatesKept is for how many candidates an evaluator leaves room to the next one: 1.2 MB.
	candidatesKept = 1 << 14
)

// begin makes room for n candidates, or as many as are held at a time.
func (f *first) begin(after tuples.ID, most, n int) {
	f.after, f.most, f.end, f.more = after, most, "", false
	if n = min(n, 2*most); cap(f.candidates) < n {
		f.candidates = make([]candidate, 0, n)
	}
	f.candidates, f.nodes, f.known = f.candidates[:0], f.nodes[:0], f.known[:0]
}

// take names the nodes and keeps the candidates that are wanted.
func (f *first) take(ctx context.Context, g *graph) error {
	if len(f.names) < len(f.nodes) {
		f.names = make([]tuples.Object, min(2*len(f.nodes), namesPerRead))
	}
	if err := g.name(ctx, f.nodes, f.names[:len(f.nodes)]); err != nil {
		return err
	}
	for i := range f.nodes {
		id := f.names[i].ID
		if id <= f.after || f.more && id > f.end {
			continue
		}
		if len(f.candidates) == 2*f.most {
			f.candidates = f.sorted(cap(f.candidates))
		}
		f.known[i].id = id
		f.candidates = append(f.candidates, f.known[i])
	}
	f.nodes, f.known = f.nodes[:0], f.known[:0]
	return nil
}

// sorted returns the candidates sorted, in new memory with room for so many, without those
// behind the most that are wanted.
func (f *first) sorted(room int) []candidate {
	sorted := make([]candidate, len(f.candidates), room)
	f.byID.byID(sorted, f.candidates)
	if len(sorted) > f.most {
		sorted = sorted[:f.most]
		f.end, f.more = sorted[f.most-1].id, true
	}
	return sorted
}

// found returns the candidates that were found, and keeps none.
func (f *first) found() []candidate {
	sorted := f.sorted(len(f.candidates))
	clear(f.candidates)
	return sorted
}

// release keeps what little memory the next evaluator is likely to need.
func (f *first) release() {
	clear(f.names)
	clear(f.known[:cap(f.known)])
	f.after, f.end = "", ""
	f.inOrder.end(candidatesKept)
	f.byID.end(candidatesKept)
	if cap(f.candidates) > candidatesKept {
		f.candidates = nil
	}
}
