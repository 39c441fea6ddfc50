package storetest

import (
	"crypto/sha256"
	"time"

	"github.com/usher-authz/usher/tuples"
	"pgregory.net/rapid"
)

// The names of the random test are few, so that they meet often.
var (
	objectTypes  = []tuples.ObjectType{"media", "folder", "group"}
	subjectTypes = []tuples.ObjectType{"user", "group"}
	ids          = []tuples.ID{"a", "b", "anna@example.org"}
	relations    = []tuples.Relation{"viewer", "owner", "member"}
)

func drawObject(t *rapid.T) tuples.Object {
	return tuples.Object{
		Type: rapid.SampledFrom(objectTypes).Draw(t, "object type"),
		ID:   rapid.SampledFrom(ids).Draw(t, "object id"),
	}
}

func drawSubject(t *rapid.T) tuples.Subject {
	s := tuples.Subject{
		Type: rapid.SampledFrom(subjectTypes).Draw(t, "subject type"),
		ID:   rapid.SampledFrom(append(ids[:2:2], tuples.Wildcard)).Draw(t, "subject id"),
	}
	if s.Type == "group" && s.ID != tuples.Wildcard && rapid.Bool().Draw(t, "userset") {
		s.Relation = "member"
	}
	return s
}

func drawKey(t *rapid.T) tuples.Key {
	return tuples.Key{
		Object:   drawObject(t),
		Relation: rapid.SampledFrom(relations).Draw(t, "relation"),
		Subject:  drawSubject(t),
	}
}

// drawGrant draws a grant that may expire within the next minutes.
func drawGrant(t *rapid.T, now time.Time) tuples.Grant {
	var g tuples.Grant
	if rapid.IntRange(0, 3).Draw(t, "expires") == 0 {
		g.Expires = now.Add(time.Duration(rapid.IntRange(-1, 5).Draw(t, "minutes")) * time.Minute)
	}
	if rapid.IntRange(0, 5).Draw(t, "condition") == 0 {
		g.Condition = &tuples.Condition{Name: "office_hours"}
		if rapid.Bool().Draw(t, "with context") {
			g.Condition.Context = tuples.Context{"from": 9.0, "days": []any{"mo", "tu"}, "strict": true, "zone": map[string]any{"name": "CET"}}
		}
	}
	if rapid.IntRange(0, 5).Draw(t, "attributes") == 0 {
		g.Attributes = tuples.Attributes{
			"max_image_size": tuples.IntValue(int64(rapid.IntRange(-1, 1).Draw(t, "size"))),
			"watermark":      tuples.BoolValue(rapid.Bool().Draw(t, "watermark")),
			"scale":          tuples.DoubleValue(0.5), "note": tuples.StringValue("für Anna"),
		}
	}
	return g
}

// drawFilter draws a filter; one in four selects by expiry too.
func drawFilter(t *rapid.T, now time.Time) tuples.Filter {
	k := drawKey(t)
	var f tuples.Filter
	fixed := rapid.IntRange(0, 63).Draw(t, "fixed")
	if fixed&1 != 0 {
		f.ObjectType = k.Object.Type
	}
	if fixed&3 == 3 {
		f.ObjectID = k.Object.ID
	}
	if fixed&4 != 0 {
		f.Relation = k.Relation
	}
	if fixed&8 != 0 {
		f.SubjectType = k.Subject.Type
	}
	if fixed&24 == 24 {
		f.SubjectID = k.Subject.ID
	}
	if fixed&32 != 0 {
		f.SubjectRelation = &k.Subject.Relation
	}
	if rapid.IntRange(0, 3).Draw(t, "by expiry") == 0 {
		f.ExpiresBefore = now.Add(time.Duration(rapid.IntRange(-1, 6).Draw(t, "expires within minutes")) * time.Minute)
	}
	return f
}

// drawErase draws the erasing of objects that may lie in each other along any relation.
func (m *machine) drawErase(t *rapid.T) tuples.Commit {
	e := &tuples.Erase{}
	for range rapid.IntRange(1, 2).Draw(t, "objects") {
		e.Objects = append(e.Objects, rapid.SampledFrom([]tuples.Object{drawObject(t), {Type: "user", ID: "a"}}).Draw(t, "object"))
	}
	for range rapid.IntRange(0, 2).Draw(t, "along") {
		e.Along = append(e.Along, tuples.Containment{
			Type:     rapid.SampledFrom(append(objectTypes, "", "unknown")).Draw(t, "contained type"),
			Relation: rapid.SampledFrom(relations).Draw(t, "containment"),
		})
	}
	c := tuples.Commit{Erase: e, DryRun: rapid.IntRange(0, 4).Draw(t, "dry run") == 0}
	m.drawGuard(t, &c)
	return c
}

// drawUndo draws the undoing of a change, most often of a late one.
func (m *machine) drawUndo(t *rapid.T) tuples.Commit {
	states := m.ref.states[1:]
	if len(states) == 0 {
		t.Skip("there is nothing to undo")
	}
	back := rapid.IntRange(1, min(len(states), 10)).Draw(t, "changes ago")
	c := tuples.Commit{
		Undo:   &tuples.Undo{Revision: states[len(states)-back].revision},
		DryRun: rapid.IntRange(0, 4).Draw(t, "dry run") == 0,
	}
	m.drawGuard(t, &c)
	return c
}

// drawCommit draws a write, most of which are in order.
func (m *machine) drawCommit(t *rapid.T) tuples.Commit {
	now := m.h.store.Now()
	var c tuples.Commit
	for range rapid.IntRange(1, 4).Draw(t, "mutations") {
		c.Mutations = append(c.Mutations, tuples.Mutation{
			Op:    rapid.SampledFrom([]tuples.Op{tuples.OpCreate, tuples.OpTouch, tuples.OpTouch, tuples.OpDelete}).Draw(t, "op"),
			Tuple: tuples.Tuple{Key: drawKey(t), Grant: drawGrant(t, now)},
		})
	}
	m.drawGuard(t, &c)
	if rapid.IntRange(0, 3).Draw(t, "origin") == 0 {
		c.Origin = tuples.Origin{
			Caller: rapid.SampledFrom([]string{"", "portal"}).Draw(t, "caller"), Actor: &tuples.Subject{Type: "user", ID: "bert"},
			Metadata: map[string]string{"message": "have a look", "ticket": "17"},
		}
	}
	return c
}

// drawGuard gives some commits one of the conditions that a commit can have.
func (m *machine) drawGuard(t *rapid.T, c *tuples.Commit) {
	now := m.h.store.Now()
	switch rapid.IntRange(0, 9).Draw(t, "guard") {
	case 0:
		c.Preconditions = []tuples.Precondition{{Field: "preconditions[0]", Filter: drawFilter(t, now), MustMatch: rapid.Bool().Draw(t, "must match")}}
	case 1:
		c.InForce = rapid.SampledFrom([]tuples.ModelID{"m0", "m1", "m2"}).Draw(t, "in force")
	case 2:
		head := m.h.store.Head()
		read := tuples.Revision(rapid.IntRange(max(0, int(head)-3), int(head)).Draw(t, "read at"))
		k := drawKey(t)
		c.ReadSet = &tuples.ReadSet{Revision: read, Lists: []tuples.Userset{{Object: k.Object, Relation: k.Relation}}}
		if rapid.Bool().Draw(t, "valid until") {
			c.ReadSet.ValidUntil = now.Add(time.Duration(rapid.IntRange(-1, 1).Draw(t, "validity")) * time.Minute)
		}
	case 3:
		c.RequestID = rapid.SampledFrom([]string{"r1", "r2"}).Draw(t, "request id")
		c.BodyHash = sha256.Sum256([]byte{byte(rapid.IntRange(0, 1).Draw(t, "body"))})
	}
}
