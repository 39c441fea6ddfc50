package check

import (
	"context"
	"errors"
	"iter"

	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/tuples"
)

// List is one list of an evaluator, to be read page by page. See [Evaluator.Objects] and
// [Evaluator.Subjects].
//
// Finding who may belong to a list takes a walk, whatever part of it is wanted. So a page
// looks further than it is long: the [Stretch] that it leaves behind lets the pages behind it
// do without a walk.
type List struct {
	known *Stretch
	most  int
	find  func(ctx context.Context, after tuples.ID, most int) (*Stretch, error)
	// judge turns candidates of a stretch into items, and leaves out who does not belong to
	// the list.
	judge func(ctx context.Context, s *Stretch, after tuples.ID, yield func(Item, error) bool) bool
}

// pageReach is how many candidates one walk for a page looks for, and wholeReach one for a
// whole list. The names of those behind are read again for the next stretch, which is the
// price of bounded memory. Only tests change them.
var (
	pageReach  = 1 << 16
	wholeReach = 1 << 19
)

// Page makes the list one that will be left before its end.
func (l *List) Page() { l.most = pageReach }

// Resume gives the list what an earlier page of the same list left behind, nil for nothing.
func (l *List) Resume(known *Stretch) { l.known = known }

// Stretch returns where in the list the last item was found, nil before there is one.
func (l *List) Stretch() *Stretch { return l.known }

// Items yields the items of the list behind after ("" for the beginning). An error ends the
// list; a condition that failed for one item is in that item instead.
func (l *List) Items(ctx context.Context, after tuples.ID) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		for {
			if !l.known.has(after) {
				found, err := l.find(ctx, after, l.most)
				if err != nil {
					yield(Item{}, err)
					return
				}
				l.known = found
			}
			if !l.judge(ctx, l.known, after, yield) || l.known.last {
				return
			}
			after = l.known.candidates[len(l.known.candidates)-1].id
		}
	}
}

// item turns a candidate that verify judges into an item. Its error is not one of a
// condition: that is in the item.
func (e *Evaluator) item(ctx context.Context, id tuples.ID, v value) (Item, error) {
	decision, err := e.decide(ctx, v)
	if err == nil {
		return Item{ID: id, Decision: decision}, nil
	}
	var failed *ConditionError
	if errors.As(err, &failed) {
		return Item{ID: id, Err: failed}, nil
	}
	return Item{}, err
}

// alias follows a step that is nothing but another one, as in "can_view: viewer". A userset
// is a member of its own step alone, so lists about usersets follow none.
func alias(step *model.Step, kind model.Kind) *model.Step {
	for kind.Relation == 0 && step.Op == model.OpUnion && len(step.Alternatives) == 1 {
		only, ok := step.Alternatives[0].(*model.Same)
		if !ok {
			break
		}
		step = only.Target
	}
	return step
}
