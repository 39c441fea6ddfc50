package library

import "github.com/usher-authz/usher/tuples"

// rights are what somebody holds on one thing, a bit for each step of the ladder.
type rights uint8

const (
	viewing rights = 1 << iota
	commenting
	downloading
	editing
	administering
	owning
)

// role is what a share gives.
type role uint8

const (
	viewer role = iota
	commenter
	downloader
	editor
	admin
	owner
)

// ladder is the relation that stands for a role, and what the role holds: all steps of
// the ladder below it. Commenting gives no download (A3).
var ladder = [...]struct {
	relation tuples.Relation
	holds    rights
}{
	viewer:     {"viewer", viewing},
	commenter:  {"commenter", viewing | commenting},
	downloader: {"downloader", viewing | downloading},
	editor:     {"editor", viewing | commenting | downloading | editing},
	admin:      {"admin", viewing | commenting | downloading | editing | administering},
	owner:      {"owner", viewing | commenting | downloading | editing | administering | owning},
}

// belief is what somebody surely holds, and what somebody may hold: the difference
// depends on a password that the question does not speak of (D4).
type belief struct{ sure, maybe rights }

func surely(held rights) belief { return belief{held, held} }

func (b belief) or(c belief) belief { return belief{b.sure | c.sure, b.maybe | c.maybe} }

// outcome tells what the belief comes to for one right.
func (b belief) outcome(needs rights) Outcome {
	switch {
	case b.sure&needs != 0:
		return Allowed
	case b.maybe&needs != 0:
		return Conditional
	}
	return Denied
}
