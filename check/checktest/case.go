package checktest

import (
	"fmt"
	"slices"
	"strings"

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
	c.Contextual = drawTuples(t, 1, d.permitted)
	if roll(t, 16) == 15 {
		c.join(d.crowd(t))
	}
	c.Context = drawContext(t)
	return c
}

// join adds a crowd as one more commit; contextual tuples hide some of it.
func (c *Case) join(crowd []tuples.Tuple) {
	var commit []tuples.Mutation
	for i, tuple := range crowd {
		commit = append(commit, tuples.Mutation{Op: tuples.OpTouch, Tuple: tuple})
		if i%16 == 0 {
			tuple.Expires = Now
			c.Contextual = append(c.Contextual, tuple)
		}
	}
	c.Commits = append(c.Commits, commit)
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
