package index_test

import (
	"fmt"
	"testing"

	"github.com/usher-authz/usher/check/index"
	"github.com/usher-authz/usher/tuples"
)

// crowd is a club of users who are each in ten groups.
func crowd(t *testing.T, users int) *club {
	t.Helper()
	var lines []string
	for u := range users {
		for g := range 10 {
			lines = append(lines, fmt.Sprintf("group:g%d#member@user:u%d", g, u))
		}
	}
	return newClub(t, 64<<10, lines...)
}

// ask asks for the closures of users from one number to another.
func (c *club) ask(closures *index.Closures, from, to int) {
	c.t.Helper()
	s := c.index.Over(pinned{revision: c.revision, now: c.now})
	for u := from; u < to; u++ {
		user := c.node(tuples.Object{Type: "user", ID: tuples.ID(fmt.Sprintf("u%d", u))})
		closure, _, err := closures.Of(c.t.Context(), s, user, 0)
		if err != nil {
			c.t.Fatal(err)
		}
		if got := len(closure.Groups(c.step("group", "member"))); got != 10 {
			c.t.Fatalf("u%d is in %d groups", u, got)
		}
	}
}

// Closures of all models share one memory. What takes most of it makes room.
func TestClosuresOfANewModelFindRoom(t *testing.T) {
	const users, few = 1000, 20
	c := crowd(t, users)
	others := c.index.Closures(c.program)
	c.ask(c.closures, 0, users)
	if c.closures.Bytes() > 64<<10 || c.closures.Bytes() < 32<<10 {
		t.Errorf("%d closures take %d bytes", users, c.closures.Bytes())
	}
	c.ask(others, 0, few)
	small := others.Bytes()
	c.ask(c.closures, 0, users)
	if others.Bytes() != small {
		t.Errorf("those of the small model took %d bytes, and take %d", small, others.Bytes())
	}
	if all := c.closures.Bytes() + others.Bytes(); all > 64<<10 {
		t.Errorf("all closures take %d bytes", all)
	}
	c.closures.Close()
	c.closures.Close()
	c.ask(c.closures, 0, few)
	if got := c.closures.Bytes(); got > 16<<10 {
		t.Errorf("closures that are closed take %d bytes", got)
	}
}
