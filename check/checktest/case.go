package checktest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/tuples"
)

// Case is a random model with a random history of tuples, and what a request may
// bring along.
type Case struct {
	Source string
	Model  *model.Model
	// Commits are written one after the other. Some of their tuples are forbidden by
	// the model, as if written under an earlier one, or expire at or around [Now].
	Commits [][]tuples.Mutation
	// Contextual are tuples that the model permits; some have the key of a stored one.
	Contextual []tuples.Tuple
	Context    tuples.Context
}

// Cases generates random cases. There are few ids and many tuples, so that cycles,
// diamonds and contradictions are the rule. One case in sixteen has a crowd besides:
// a list of more tuples than the engine reads at a time.
func Cases() *rapid.Generator[Case] { return rapid.Custom(drawCase) }

func drawCase(t *rapid.T) Case {
	source, m := drawModel(t)
	d := drawer{model: m, kinds: kindsOf(m)}
	c := Case{Source: source, Model: m}
	for range 1 + roll(t, 3) {
		if commit := d.commit(t, c.Commits); len(commit) > 0 {
			c.Commits = append(c.Commits, commit)
		}
	}
	c.Contextual = drawTuples(t, false, d.permitted)
	if roll(t, 16) == 15 {
		crowd := d.crowd(t)
		c.Commits = append(c.Commits, nil)
		for i, tuple := range crowd {
			c.Commits[len(c.Commits)-1] = append(c.Commits[len(c.Commits)-1], tuples.Mutation{Op: tuples.OpTouch, Tuple: tuple})
			if i%16 == 0 {
				tuple.Expires = Now
				c.Contextual = append(c.Contextual, tuple) // hides the stored one
			}
		}
	}
	c.Context = drawContext(t)
	return c
}

// drawModel draws a model that validation accepts: a relation that it refuses
// becomes a list of users.
func drawModel(t *rapid.T) (string, *model.Model) {
	draft := drawDraft(t)
	for {
		source := draft.source()
		m, _, err := model.Parse(model.Source{DSL: source})
		if err == nil {
			return source, m
		}
		var refused *model.Error
		if !errors.As(err, &refused) || !draft.simplify(refused) {
			t.Fatalf("model cannot be repaired: %v\n%s", err, source)
		}
	}
}

// simplify rewrites the first relation that has a problem and is not simple yet.
func (d *draft) simplify(refused *model.Error) bool {
	for _, problem := range refused.Problems {
		for _, typ := range d.types {
			for _, r := range typ.relations {
				if r.line == problem.Pos.Line && r.text != everybody {
					r.text, r.parents = everybody, nil
					return true
				}
			}
		}
	}
	return false
}

// After returns the tuples that are stored after the first n commits, sorted.
func (c Case) After(n int) []tuples.Tuple {
	live := map[tuples.Key]tuples.Tuple{}
	for _, commit := range c.Commits[:n] {
		for _, m := range commit {
			if m.Op == tuples.OpDelete {
				delete(live, m.Tuple.Key)
			} else {
				live[m.Tuple.Key] = m.Tuple
			}
		}
	}
	var stored []tuples.Tuple
	for _, t := range live {
		stored = append(stored, t)
	}
	slices.SortFunc(stored, func(a, b tuples.Tuple) int { return a.Key.Compare(b.Key) })
	return stored
}

// String returns the case for the report of a failed property.
func (c Case) String() string {
	var b strings.Builder
	b.WriteString(c.Source)
	for i, commit := range c.Commits {
		fmt.Fprintf(&b, "commit %d:\n", i+1)
		for _, m := range commit {
			fmt.Fprintf(&b, "  %s %s\n", m.Op, m.Tuple)
		}
	}
	fmt.Fprintf(&b, "contextual:\n  %s\ncontext: %s\n", strings.Join(texts(c.Contextual), "\n  "), c.Context)
	return b.String()
}

// GoString returns [Case.String], which is how rapid shows what it drew.
func (c Case) GoString() string { return c.String() }

// kind is one entry of a direct type restriction, with the relation that it is of.
type kind struct {
	objects  tuples.ObjectType
	relation tuples.Relation
	model.Restriction
}

func kindsOf(m *model.Model) []kind {
	var kinds []kind
	for _, typ := range m.Types {
		for _, r := range typ.Relations {
			for _, restriction := range r.Direct {
				kinds = append(kinds, kind{typ.Name, r.Name, restriction})
			}
		}
	}
	return kinds
}

// drawer draws tuples for one model.
type drawer struct {
	model *model.Model
	kinds []kind
}

// commit draws writes of new tuples, now and then of one that an earlier commit
// wrote, and deletes of such.
func (d drawer) commit(t *rapid.T, earlier [][]tuples.Mutation) []tuples.Mutation {
	var known []tuples.Key
	for _, m := range slices.Concat(earlier...) {
		known = append(known, m.Tuple.Key)
	}
	var commit []tuples.Mutation
	for _, tuple := range drawTuples(t, len(known) == 0, d.stored) {
		commit = append(commit, tuples.Mutation{Op: tuples.OpTouch, Tuple: tuple})
	}
	for range roll(t, 4) {
		if len(known) == 0 {
			break
		}
		key := pick(t, known)
		if !slices.ContainsFunc(commit, func(m tuples.Mutation) bool { return m.Tuple.Key == key }) {
			commit = append(commit, tuples.Mutation{Op: tuples.OpDelete, Tuple: tuples.Tuple{Key: key}})
		}
	}
	return commit
}

// crowd draws tuples that differ in one end only, the object or the subject.
func (d drawer) crowd(t *rapid.T) []tuples.Tuple {
	tuple := d.permitted(t)
	objects := roll(t, 2) == 0 || tuple.Subject.IsWildcard()
	var crowd []tuples.Tuple
	for i := range 60 + roll(t, 80) {
		id := tuples.ID(fmt.Sprintf("crowd-%d", i))
		if objects {
			tuple.Object.ID = id
		} else {
			tuple.Subject.ID = id
		}
		crowd = append(crowd, tuple)
	}
	return crowd
}

// drawTuples draws tuples of different keys: some five, or some twenty-five if many.
func drawTuples(t *rapid.T, many bool, draw func(*rapid.T) tuples.Tuple) []tuples.Tuple {
	slices := rapid.SliceOfN(rapid.SliceOfN(rapid.Custom(draw), 1, 12), 0, 1)
	if many {
		slices = rapid.SliceOfN(rapid.SliceOfN(rapid.Custom(draw), 1, 12), 1, 12)
	}
	seen := map[tuples.Key]bool{}
	var drawn []tuples.Tuple
	for _, slice := range slices.Draw(t, "tuples") {
		for _, tuple := range slice {
			if !seen[tuple.Key] {
				seen[tuple.Key] = true
				drawn = append(drawn, tuple)
			}
		}
	}
	return drawn
}

// stored draws a tuple that the model permits or, one time in ten, one that an
// earlier model may have permitted.
func (d drawer) stored(t *rapid.T) tuples.Tuple {
	tuple := d.permitted(t)
	if roll(t, 10) < 9 {
		return tuple
	}
	switch roll(t, 6) {
	case 0:
		tuple.Relation = "dropped"
	case 1:
		tuple.Object.Type = "dropped"
	case 2:
		tuple.Subject = tuples.Subject{Type: "dropped", ID: drawID(t)}
	case 3:
		tuple.Subject = tuples.Subject{Type: tuple.Object.Type, ID: drawID(t), Relation: "dropped"}
	case 4:
		tuple.Subject = tuples.Subject{Type: pick(t, d.model.Types).Name, ID: tuples.Wildcard}
	case 5:
		tuple.Relation = pick(t, d.kinds).relation
	}
	return tuple
}

// permitted draws a tuple of one of the kinds that the model permits.
func (d drawer) permitted(t *rapid.T) tuples.Tuple {
	k := pick(t, d.kinds)
	tuple := tuples.Tuple{Key: tuples.Key{
		Object:   tuples.Object{Type: k.objects, ID: drawID(t)},
		Relation: k.relation,
		Subject:  tuples.Subject{Type: k.Type, ID: tuples.Wildcard, Relation: k.Relation},
	}}
	if !k.Wildcard {
		tuple.Subject.ID = drawID(t)
	}
	if k.Condition != "" {
		tuple.Condition = &tuples.Condition{Name: k.Condition}
		if roll(t, 2) == 1 {
			tuple.Condition.Context = drawContext(t)
		}
	}
	if roll(t, 6) == 5 {
		tuple.Expires = Now.Add(time.Duration(roll(t, 3)-1) * time.Minute)
	}
	return tuple
}

// drawID draws one of three ids, which are the same for all types, "1" more often
// than the others. "!" sorts before the wildcard "*".
func drawID(t *rapid.T) tuples.ID {
	return pick(t, []tuples.ID{"1", "1", "2", "!"})
}

// drawContext draws values for some of the parameters of the conditions.
func drawContext(t *rapid.T) tuples.Context {
	values := tuples.Context{}
	if i := roll(t, 4); i < 2 {
		values["on"] = i == 0
	}
	if i := roll(t, 6); i < 4 {
		values["level"] = []any{1.0, 5.0, 0.0, "many"}[i] // met, unmet, division by zero, not a number
	}
	if i := roll(t, 3); i < 2 {
		values["tag"] = []string{"x", "y"}[i]
	}
	return values
}
