package check_test

import (
	"errors"
	"fmt"
	"iter"
	"strings"
	"testing"

	"github.com/usher-authz/usher/check"
	"github.com/usher-authz/usher/tuples"
)

// containers is a tree of containers with a switch for inheritance.
const containers = groups + `
type container
  relations
    define parent: [container]
    define native: [container]
    define inherits: [container]
    define viewer: [user, user:*, group#member, user:* with office_hours]
    define banned: [user, group#member]
    define view: viewer from native or view from inherits
    define can_view: view but not banned
    define open: [user:*, user] or open from parent
` + conditions

// tree returns a tree as lines such as "  container:a invited, public from container:b".
func tree(t testing.TB, list iter.Seq2[check.TreeObject, error]) string {
	t.Helper()
	var lines []string
	for object, err := range list {
		if err = errors.Join(err, object.Err); err != nil {
			lines = append(lines, fmt.Sprintf("%s: %v", object.Object, err))
			continue
		}
		var states []string
		for _, s := range object.States {
			text := s.Openness.String()
			if s.Inherited {
				text += " from"
			}
			for _, origin := range s.Origins {
				text += " " + origin.String()
			}
			states = append(states, text)
		}
		lines = append(lines, strings.Repeat("  ", object.Depth)+object.Object.String()+" "+strings.Join(states, ", "))
	}
	return strings.Join(lines, "\n")
}

func treeOf(root string, settings ...check.TreeSetting) check.TreeQuery {
	object, err := tuples.ParseObject(root)
	if err != nil {
		panic(err)
	}
	return check.TreeQuery{
		Roots: []tuples.Object{object}, ContainedBy: []tuples.Containment{{Relation: "parent"}}, Settings: settings,
	}
}

var (
	bySwitch  = check.TreeSetting{Relation: "view", Inherits: "inherits"}
	byOrigins = check.TreeSetting{Relation: "view"}
)

func TestSummarizeTree(t *testing.T) {
	for _, c := range []struct {
		name    string
		setting check.TreeSetting
		tuples  []string
		want    string
	}{
		{"D8 native permissions rest while the container inherits", bySwitch, []string{
			"container:r#native@container:r", "container:r#viewer@user:anna",
			"container:a#parent@container:r", "container:a#inherits@container:r", "container:a#viewer@user:*",
			"container:b#parent@container:r", "container:b#native@container:b", "container:b#viewer@user:*",
			"container:c#parent@container:a", "container:c#inherits@container:a",
		}, `container:r invited
  container:a invited from container:r
    container:c invited from container:r
  container:b public`},
		{"a container that inherits nothing from a private one is private", bySwitch, []string{
			"container:a#parent@container:r", "container:a#inherits@container:r",
		}, `container:r private
  container:a private from`},
		{"without a switch the tuples that decide tell", byOrigins, []string{
			"container:r#native@container:r", "container:r#viewer@user:anna",
			"container:a#parent@container:r", "container:a#inherits@container:r",
			"container:b#parent@container:r", "container:b#inherits@container:r", "container:b#native@container:b", "container:b#viewer@user:bert",
		}, `container:r invited
  container:a invited from container:r
  container:b invited`},
		{"D7 behind a password is invited", byOrigins, []string{
			"container:r#native@container:r", "container:r#viewer@user:* with office_hours",
		}, `container:r invited`},
		{"a group is invited", byOrigins, []string{
			"container:r#native@container:r", "container:r#viewer@group:press#member",
		}, `container:r invited`},
		{"whom a ban leaves out is not invited", check.TreeSetting{Relation: "can_view"}, []string{
			"container:r#native@container:r", "container:r#viewer@user:anna", "container:r#banned@user:anna",
			"container:a#parent@container:r", "container:a#inherits@container:r",
		}, `container:r private
  container:a invited from container:r`},
		{"the nearest origins come first, five at most", check.TreeSetting{Relation: "open"}, []string{
			"container:a#parent@container:r", "container:b#parent@container:a", "container:c#parent@container:b",
			"container:d#parent@container:c", "container:e#parent@container:d", "container:f#parent@container:e",
			"container:r#open@user:anna", "container:a#open@user:anna", "container:b#open@user:bert",
			"container:c#open@user:*", "container:d#open@user:anna", "container:e#open@user:anna",
		}, `container:r invited
  container:a invited
    container:b invited
      container:c public
        container:d public from container:c
          container:e public from container:c
            container:f public from container:c`},
		{"what lies in several places is listed once", check.TreeSetting{Relation: "open"}, []string{
			"container:a#parent@container:r", "container:b#parent@container:r", "container:c#parent@container:a",
			"container:c#parent@container:b", "container:r#parent@container:c", "container:b#open@user:anna",
		}, `container:r invited from container:b
  container:a invited from container:b
    container:c invited from container:b
  container:b invited`},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, containers, c.tuples...)
			if got := tree(t, w.evaluator().SummarizeTree(t.Context(), treeOf("container:r", c.setting), tuples.Object{})); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

// The five nearest of many origins are told, and an object's own is none of them.
func TestNearestOrigins(t *testing.T) {
	const depth = 9
	lines := repeat(depth, func(i int) string { return fmt.Sprintf("container:c%d#parent@container:c%d", i+1, i) })
	lines = append(lines, repeat(depth, func(i int) string { return fmt.Sprintf("container:c%d#open@user:u%d", i, i) })...)
	w := newWorld(t, containers, lines...)
	got := tree(t, w.evaluator().SummarizeTree(t.Context(), treeOf("container:c8", check.TreeSetting{Relation: "open"}), tuples.Object{}))
	want := `container:c8 invited
  container:c9 invited from container:c8 container:c7 container:c6 container:c5 container:c4`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// A failed condition fails an object only where the state depends on it.
func TestTreesFailWhereItMatters(t *testing.T) {
	const failing = " with office_hours"
	for _, c := range []struct {
		name   string
		tuples []string
		want   string
	}{
		{"somebody else is invited", []string{"container:r#viewer@user:anna" + failing, "container:r#viewer@user:bert"}, "container:r invited"},
		{"it is public by another tuple", []string{"container:r#viewer@user:anna" + failing, "container:r#viewer@user:*"}, "container:r public"},
		{"nobody else is invited", []string{"container:r#viewer@user:anna" + failing}, "container:r: condition office_hours"},
		{"it might be public", []string{"container:r#viewer@user:*" + failing, "container:r#viewer@user:bert"}, "container:r: condition office_hours"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, strings.ReplaceAll(containers, "[user, user:*, group#member, user:* with", "[user, user with office_hours, user:*, group#member, user:* with"),
				append(c.tuples, "container:r#native@container:r")...)
			e := w.evaluator(func(r *check.Request) { r.Context = map[string]any{"hour": "many"} })
			if got := tree(t, e.SummarizeTree(t.Context(), treeOf("container:r", byOrigins), tuples.Object{})); !strings.HasPrefix(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// The cost of a tree grows with its size, however deep it is.
func TestTreesCostByTheirSize(t *testing.T) {
	const size = 3_000
	for name, parent := range map[string]func(i int) int{
		"a chain":     func(i int) int { return i - 1 },
		"a bush":      func(int) int { return 0 },
		"a tree of 3": func(i int) int { return (i - 1) / 3 },
	} {
		t.Run(name, func(t *testing.T) {
			var lines []string
			for i := 1; i < size; i++ {
				lines = append(lines, fmt.Sprintf("container:c%d#parent@container:c%d", i, parent(i)), fmt.Sprintf("container:c%d#open@user:u%d", i, i))
			}
			w := newWorld(t, containers, append(lines, repeat(size, func(i int) string { return fmt.Sprintf("container:c0#open@user:u%d", i) })...)...)
			objects := 0
			query := treeOf("container:c0", check.TreeSetting{Relation: "open"})
			for object, err := range w.evaluator(budget(30*size)).SummarizeTree(t.Context(), query, tuples.Object{}) {
				if err != nil {
					t.Fatalf("%d objects, then %v", objects, err)
				}
				if object.States[0].Openness != check.Invited {
					t.Fatalf("%v", object)
				}
				objects++
			}
			if objects != size {
				t.Errorf("got %d objects, want %d", objects, size)
			}
		})
	}
}

func TestTreesFail(t *testing.T) {
	w := newWorld(t, containers, "container:a#parent@container:r")
	for name, c := range map[string]struct {
		root  string
		after tuples.Object
		units int
		want  error
	}{
		"unknown type":         {"robot:r", tuples.Object{}, 100, &check.UnknownError{Type: "robot"}},
		"no budget":            {"container:r", tuples.Object{}, 1, check.ErrBudget},
		"no place in the tree": {"container:a", tuples.Object{Type: "container", ID: "r"}, 100, check.ErrNotInTree},
	} {
		t.Run(name, func(t *testing.T) {
			if got := tree(t, w.evaluator(budget(c.units)).SummarizeTree(t.Context(), treeOf(c.root, byOrigins), c.after)); !strings.HasSuffix(got, c.want.Error()) {
				t.Errorf("got %q, want %v", got, c.want)
			}
		})
	}
	if got := check.Openness(9).String() + check.OpennessUnknown.String(); got != "unknownunknown" {
		t.Errorf("got %s", got)
	}
}
