package check_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/usher-authz/usher/check"
	"github.com/usher-authz/usher/tuples"
)

// counted counts the reads of tuples.
type counted struct {
	tuples.Snapshot
	reads int
}

func (c *counted) Edge(ctx context.Context, key tuples.EdgeKey) (tuples.Edge, bool, error) {
	c.reads++
	return c.Snapshot.Edge(ctx, key)
}

func (c *counted) EdgesFrom(ctx context.Context, list tuples.SubjectsOf, after tuples.Node, buf []tuples.Edge) ([]tuples.Edge, error) {
	c.reads++
	return c.Snapshot.EdgesFrom(ctx, list, after, buf)
}

func (c *counted) EdgesTo(ctx context.Context, list tuples.ObjectsOf, after tuples.Node, buf []tuples.Edge) ([]tuples.Edge, error) {
	c.reads++
	return c.Snapshot.EdgesTo(ctx, list, after, buf)
}

// counting counts the reads of a request.
func counting(c *counted) func(*check.Request) {
	return func(r *check.Request) { c.Snapshot, r.Snapshot = r.Snapshot, c }
}

// gated is a library in which roles are combined.
const gated = `
type user
type group
  relations
    define member: [user, group#member]
type folder
  relations
    define parent: [folder]
    define blocked: [user, group#member]
    define viewer: ([user, user:*, group#member, user with late] or viewer from parent) but not blocked
type media
  relations
    define folder: [folder]
    define hidden: [user, user:*, group#member]
    define approved: [user, user:*, group#member]
    define viewer: [user, user:*, group#member, user with late]
    define can_view: viewer but not hidden
    define can_print: viewer and approved
    define opens: viewer from folder
condition late(hour: int) {
  hour > 22
}
`

// pagesOf reads a list page by page, each with an evaluator of its own, and counts the reads
// of each.
func pagesOf(w *world, size int, list func(*check.Evaluator) *check.List) (ids []tuples.ID, reads []int) {
	w.t.Helper()
	var known *check.Stretch
	for more := true; more; {
		c := &counted{}
		e := w.evaluator(counting(c))
		l, n := list(e), 0
		l.Page()
		l.Resume(known)
		after := tuples.ID("")
		if len(ids) > 0 {
			after = ids[len(ids)-1]
		}
		more = false
		for item, err := range l.Items(w.t.Context(), after) {
			if err != nil {
				w.t.Fatal(err)
			}
			if more = n == size; more {
				break
			}
			ids, n = append(ids, item.ID), n+1
		}
		known, reads = l.Stretch(), append(reads, c.reads)
		e.Close()
	}
	return ids, reads
}

// A page goes on with what the one before it has found.
func TestLaterPagesReadNoTuples(t *testing.T) {
	lines := repeat(100, func(i int) string { return fmt.Sprintf("media:m%02d#viewer@user:anna", i) })
	lines = append(lines, repeat(100, func(i int) string { return fmt.Sprintf("media:logo#viewer@user:u%02d", i) })...)
	lines = append(lines, "media:m03#hidden@user:anna", "media:logo#hidden@user:u03")
	w := newWorld(t, gated, lines...)
	for name, list := range map[string]func(*check.Evaluator) *check.List{
		"objects": func(e *check.Evaluator) *check.List {
			return e.Objects("media", "can_view", tuples.Subject{Type: "user", ID: "anna"})
		},
		"subjects": func(e *check.Evaluator) *check.List {
			on := tuples.Userset{Object: tuples.Object{Type: "media", ID: "logo"}, Relation: "can_view"}
			return e.Subjects(on, check.SubjectKind{Type: "user"})
		},
	} {
		t.Run(name, func(t *testing.T) {
			ids, reads := pagesOf(w, 10, list)
			if len(ids) != 99 || !slices.IsSorted(ids) || reads[0] == 0 || len(reads) != 10 {
				t.Errorf("got %d ids, %v, by %v reads", len(ids), ids, reads)
			}
			if more := slices.Max(reads[1:]); more > 0 {
				t.Errorf("reads by page: %v, want none behind the first", reads)
			}
		})
	}
}

// An item that depends on context stays marked from page to page, and costs no Check.
func TestLaterPagesKnowWhatIsConditional(t *testing.T) {
	w := newWorld(t, gated, repeat(20, func(i int) string { return fmt.Sprintf("media:m%02d#viewer@user:anna with late", i) })...)
	first := w.evaluator().Objects("media", "viewer", tuples.Subject{Type: "user", ID: "anna"})
	first.Page()
	for range first.Items(t.Context(), "") {
		break
	}
	c := &counted{}
	later := w.evaluator(counting(c)).Objects("media", "viewer", tuples.Subject{Type: "user", ID: "anna"})
	later.Page()
	later.Resume(first.Stretch())
	got := items(later.Items(t.Context(), "m17"))
	if want := "m18(conditional on hour) m19(conditional on hour)"; got != want || c.reads > 0 {
		t.Errorf("got %s by %d reads, want %s by none", got, c.reads, want)
	}
}

// A place before a stretch is not in it: the list is looked for anew.
func TestAStretchIsOnlyGoodBehindItsBeginning(t *testing.T) {
	w := newWorld(t, gated, repeat(20, func(i int) string { return fmt.Sprintf("media:m%02d#viewer@user:anna", i) })...)
	anna := tuples.Subject{Type: "user", ID: "anna"}
	first := w.evaluator().Objects("media", "can_view", anna)
	for range first.Items(t.Context(), "m09") {
		break
	}
	for _, c := range []struct {
		after tuples.ID
		want  int
		reads bool
	}{{"", 20, true}, {"m08", 11, true}, {"m09", 10, false}, {"m15x", 4, false}, {"m19", 0, false}, {"z", 0, false}} {
		count := &counted{}
		later := w.evaluator(counting(count)).Objects("media", "can_view", anna)
		later.Page()
		later.Resume(first.Stretch())
		n := 0
		for range later.Items(t.Context(), c.after) {
			n++
		}
		if n != c.want || (count.reads > 0) != c.reads {
			t.Errorf("behind %q: %d items by %d reads, want %d", c.after, n, count.reads, c.want)
		}
	}
}

// Lists with many candidates on both sides of "and" and "but not" cost a few units for each
// candidate: the sets are held against each other, and nobody is asked about alone.
func TestCombinedListsCostLittleForEachCandidate(t *testing.T) {
	const many = 5_000
	var lines []string
	for i := range many {
		lines = append(lines,
			fmt.Sprintf("media:m%04d#viewer@user:anna", i), fmt.Sprintf("media:m%04d#viewer@group:staff#member", i),
			fmt.Sprintf("media:m%04d#approved@user:anna", i+many/2), fmt.Sprintf("media:m%04d#hidden@user:anna", i+many/2),
			fmt.Sprintf("media:logo#viewer@user:u%04d", i),
			fmt.Sprintf("media:logo#approved@user:u%04d", i+many/2), fmt.Sprintf("media:logo#hidden@user:u%04d", i+many/2),
		)
	}
	w := newWorld(t, gated, lines[:len(lines)/2]...)
	w.write(lines[len(lines)/2:]...)
	anna := tuples.Subject{Type: "user", ID: "anna"}
	logo := tuples.Object{Type: "media", ID: "logo"}
	for _, relation := range []tuples.Relation{"can_view", "can_print"} {
		for name, list := range map[string]func(*check.Evaluator) *check.List{
			"objects": func(e *check.Evaluator) *check.List { return e.Objects("media", relation, anna) },
			"subjects": func(e *check.Evaluator) *check.List {
				return e.Subjects(tuples.Userset{Object: logo, Relation: relation}, check.SubjectKind{Type: "user"})
			},
		} {
			t.Run(fmt.Sprintf("%s of %s", name, relation), func(t *testing.T) {
				n := 0
				for _, err := range list(w.evaluator(budget(5*many))).Items(t.Context(), "") {
					if err != nil {
						t.Fatal(err)
					}
					n++
				}
				if n != many/2 {
					t.Errorf("got %d items, want %d", n, many/2)
				}
			})
		}
	}
}

// Of an "and" the side with few members leads, whichever it is.
func TestListsBeginWithTheShortSideOfAnAnd(t *testing.T) {
	const many = 3_000
	lines := repeat(many, func(i int) string { return fmt.Sprintf("media:m%04d#viewer@user:anna", i) })
	lines = append(lines, repeat(many, func(i int) string { return fmt.Sprintf("media:x%04d#approved@user:bert", i) })...)
	lines = append(lines, "media:m0007#approved@user:anna", "media:x0007#viewer@user:bert")
	w := newWorld(t, gated, lines...)
	for question, want := range map[string]string{"user:anna can_print media": "m0007", "user:bert can_print media": "x0007"} {
		if got := w.objects(w.evaluator(budget(many/2)), question, ""); got != want {
			t.Errorf("%s: got %s, want %s", question, got, want)
		}
	}
}

// Roles that are taken away on the way come back to themselves folder by folder.
func TestListsThroughGatesThatLeadBack(t *testing.T) {
	w := newWorld(t, gated,
		"folder:a#viewer@user:anna", "folder:b#parent@folder:a", "folder:c#parent@folder:b", "folder:d#parent@folder:c",
		"folder:c#blocked@group:interns#member", "group:interns#member@user:anna",
		"folder:e#parent@folder:d", "folder:e#viewer@user:anna", "folder:f#parent@folder:e", "folder:f#viewer@user:anna with late",
		"media:1#folder@folder:b", "media:2#folder@folder:c", "media:3#folder@folder:d", "media:4#folder@folder:f",
		"folder:g#viewer@user:anna with late", "media:5#folder@folder:g",
	)
	for question, want := range map[string]string{
		"user:anna viewer folder":             "a b e f g(conditional on hour)",
		"user:anna opens media":               "1 4 5(conditional on hour)",
		"group:interns#member blocked folder": "c",
	} {
		if got := w.objects(w.evaluator(), question, ""); got != want {
			t.Errorf("%s: got %s, want %s", question, got, want)
		}
	}
	if got := w.subjects(w.evaluator(), "user opens media:3", ""); got != "" {
		t.Errorf("subjects of media:3: got %s, want nobody", got)
	}
}

// Gates that lead to each other in many ways are not tried once for each of them.
func TestListsThroughAKnotOfGates(t *testing.T) {
	const knot = `
type group
  relations
    define parent: [group]
    define member: (member from parent and viewer from parent) or (parent from parent but not viewer from parent) or parent from parent
    define viewer: viewer from parent or member from parent
`
	var lines []string
	for i := range 6 {
		for j := range 6 {
			lines = append(lines, fmt.Sprintf("group:%d#parent@group:%d", i, j))
		}
	}
	w := newWorld(t, knot, lines...)
	if got, want := w.subjects(w.evaluator(budget(50_000)), "group viewer group:2", ""), "0 1 2 3 4 5"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// A stretch is as long as one walk is good for: a longer list takes another.
func TestListsLongerThanAStretch(t *testing.T) {
	check.SetReach(t, 7, 7)
	w := newWorld(t, gated, repeat(50, func(i int) string { return fmt.Sprintf("media:m%02d#viewer@user:anna", i) })...)
	w.write("media:m13#hidden@user:anna", "media:m14#hidden@user:anna", "media:m20#hidden@user:anna")
	whole := w.objects(w.evaluator(), "user:anna can_view media", "")
	ids, _ := pagesOf(w, 5, func(e *check.Evaluator) *check.List {
		return e.Objects("media", "can_view", tuples.Subject{Type: "user", ID: "anna"})
	})
	paged := ""
	for i, id := range ids {
		if i > 0 {
			paged += " "
		}
		paged += string(id)
	}
	if len(ids) != 47 || whole != paged {
		t.Errorf("got %s\nand in pages %s, want 47 media", whole, paged)
	}
}

// The budget ends a list with an error, wherever it is spent.
func TestListsEndWhenTheBudgetDoes(t *testing.T) {
	w := newWorld(t, gated, repeat(500, func(i int) string { return fmt.Sprintf("media:m%03d#viewer@user:anna", i) })...)
	err := lastError(w.evaluator(budget(100)).ListObjects(t.Context(), "media", "can_view", tuples.Subject{Type: "user", ID: "anna"}, ""))
	if !errors.Is(err, check.ErrBudget) {
		t.Errorf("got %v, want %v", err, check.ErrBudget)
	}
}
