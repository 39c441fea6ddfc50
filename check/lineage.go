package check

import (
	"cmp"
	"context"
	"slices"
)

// lineage is the records that a visit draws on: its own, and those of everything that
// it inherits from, directly or not. Those without namings are left out. The list is
// not to be changed: visits share it.
type lineage struct {
	relatives []relative // the nearest first
	// cyclic says that the visit leads back to itself, or to one that does.
	cyclic bool
}

// relative is a record, and how many tuplesets lie between it and the visit.
type relative struct {
	*record
	distance int
}

// lineages works out and remembers what visits inherit. Objects by the thousand have few
// folders, collections and organisations, so each of these is read once, and a chain of
// them is walked once.
type lineages struct {
	survey *survey
	// enough shortens what is passed on, and makes distances count; nil for neither.
	enough func([]relative) []relative

	records recent[*record]
	known   recent[lineage]
	size    int // of what was remembered last, in namings and relatives
}

// maxRemembered bounds what lineages remember: what was not used while so many namings and
// relatives were added is forgotten, and read anew when it is needed again. A chain of
// 150,000 containers keeps 55 MB alive with it. Only tests change it.
var maxRemembered = 1 << 18

func newLineages(s *survey, enough func([]relative) []relative) *lineages {
	return &lineages{survey: s, enough: enough, records: newRecent[*record](), known: newRecent[lineage]()}
}

// recent is a map that forgets what was not used for long.
type recent[T any] struct{ young, old map[string]T }

func newRecent[T any]() recent[T] { return recent[T]{young: make(map[string]T)} }

func (r *recent[T]) get(key string) (T, bool) {
	if item, ok := r.young[key]; ok {
		return item, true
	}
	item, ok := r.old[key]
	if ok {
		r.young[key] = item
	}
	return item, ok
}

func (r *recent[T]) put(key string, item T) { r.young[key] = item }

// age makes all that is remembered old, and forgets what was old already.
func (r *recent[T]) age() { r.old, r.young = r.young, make(map[string]T) }

// below returns the lineage of an object that was visited already. It is not remembered.
func (l *lineages) below(ctx context.Context, r *record) (lineage, error) {
	parts := make([]lineage, len(r.onward))
	for i, onward := range r.onward {
		var err error
		if parts[i], err = l.of(ctx, onward); err != nil {
			return lineage{}, err
		}
	}
	return l.join(ctx, r, parts)
}

// climbing is a visit whose lineage is being worked out.
type climbing struct {
	key    string
	record *record
	next   int // in record.onward
	parts  []lineage
	cyclic bool
}

// of returns the lineage of a visit. It goes depth first with a stack of its own, so that
// no chain is too deep. Visits that lead back to themselves are gathered one by one: what
// the others of their cycle came to by then is not the whole.
func (l *lineages) of(ctx context.Context, v visit) (lineage, error) {
	key := v.key()
	if found, ok := l.known.get(key); ok {
		return found, nil
	}
	if l.size > maxRemembered {
		l.records.age()
		l.known.age()
		l.size = 0
	}
	var stack []*climbing
	under := make(map[string]int) // the keys on the stack
	push := func(key string, v visit) error {
		r, err := l.record(ctx, key, v)
		under[key] = len(stack)
		stack = append(stack, &climbing{key: key, record: r})
		return err
	}
	if err := push(key, v); err != nil {
		return lineage{}, err
	}
	for {
		top := stack[len(stack)-1]
		if top.next < len(top.record.onward) {
			onward := top.record.onward[top.next]
			top.next++
			key := onward.key()
			if found, ok := l.known.get(key); ok {
				top.parts = append(top.parts, found)
			} else if place, ok := under[key]; ok {
				for _, c := range stack[place:] {
					c.cyclic = true
				}
			} else if err := push(key, onward); err != nil {
				return lineage{}, err
			}
			continue
		}
		done, err := l.finish(ctx, top)
		if err != nil {
			return lineage{}, err
		}
		delete(under, top.key)
		stack = stack[:len(stack)-1]
		if len(stack) == 0 {
			return done, nil
		}
		below := stack[len(stack)-1]
		below.parts = append(below.parts, done)
	}
}

// record reads a visit, or remembers it.
func (l *lineages) record(ctx context.Context, key string, v visit) (*record, error) {
	if r, ok := l.records.get(key); ok {
		return r, nil
	}
	r, err := l.survey.visit(ctx, v)
	if err == nil {
		l.records.put(key, r)
		l.size += 1 + len(r.namings)
	}
	return r, err
}

// finish works out a lineage whose parts are there.
func (l *lineages) finish(ctx context.Context, c *climbing) (done lineage, err error) {
	if c.cyclic {
		done, err = l.gather(ctx, c.record)
	} else {
		done, err = l.join(ctx, c.record, c.parts)
	}
	if err == nil {
		l.known.put(c.key, done)
		l.size += len(done.relatives)
	}
	return done, err
}

// join puts a record before what it inherits.
func (l *lineages) join(ctx context.Context, r *record, parts []lineage) (lineage, error) {
	if len(r.namings) == 0 && len(parts) == 1 && l.enough == nil {
		return parts[0], nil // nobody looks at distances
	}
	var all lineage
	if len(r.namings) > 0 {
		all.relatives = append(all.relatives, relative{record: r})
	}
	for _, part := range parts {
		all.cyclic = all.cyclic || part.cyclic
		for _, p := range part.relatives {
			all.relatives = append(all.relatives, relative{p.record, p.distance + 1})
		}
	}
	if err := l.survey.evaluator.graph.spend(ctx, 1+len(all.relatives)/copiedPerUnit); err != nil {
		return lineage{}, err
	}
	if len(parts) > 1 {
		slices.SortStableFunc(all.relatives, func(a, b relative) int { return cmp.Compare(a.distance, b.distance) })
		all.relatives = firsts(all.relatives)
	}
	if l.enough != nil && !all.cyclic {
		all.relatives = l.enough(all.relatives)
	}
	return all, nil
}

// copiedPerUnit is how many relatives are copied for one unit of work.
const copiedPerUnit = 16

// firsts drops the relatives whose record stands further ahead already.
func firsts(relatives []relative) []relative {
	seen := make(map[*record]bool, len(relatives))
	return slices.DeleteFunc(relatives, func(r relative) bool {
		again := seen[r.record]
		seen[r.record] = true
		return again
	})
}

// gather walks to all that a record draws on, in widening circles.
func (l *lineages) gather(ctx context.Context, first *record) (lineage, error) {
	all := lineage{cyclic: true}
	seen := map[*record]bool{first: true}
	circle := []*record{first}
	for distance := 0; len(circle) > 0; distance++ {
		var next []*record
		for _, r := range circle {
			if err := l.survey.evaluator.graph.spend(ctx, 1); err != nil {
				return lineage{}, err
			}
			if len(r.namings) > 0 {
				all.relatives = append(all.relatives, relative{r, distance})
			}
			for _, onward := range r.onward {
				further, err := l.record(ctx, onward.key(), onward)
				if err != nil {
					return lineage{}, err
				}
				if !seen[further] {
					seen[further] = true
					next = append(next, further)
				}
			}
		}
		circle = next
	}
	return all, nil
}
