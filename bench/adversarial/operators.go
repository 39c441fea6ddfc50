package adversarial

import "fmt"

// restricted is a library in which a right is one relation and another, or one without
// another.
const restricted = `
model
  schema 1.1

type user

type media
  relations
    define viewer: [user]
    define marked: [user]
    define can_view: viewer %s marked
`

// Both relations have as many tuples, and half of each have their like in the other: of the
// numbers below 3/2 of the size, the first half are viewers alone, then come those that are
// both, and last those that are marked alone.

var (
	butNotBySubject = World{
		Name: "but not, 100,000 on both sides of a subject", Model: fmt.Sprintf(restricted, "but not"), Full: 100_000, Small: 1_000,
		Tuples: ofSubject, Questions: func(size int) []Question { return questionsOfSubject(size, 0, size/2) },
	}
	andBySubject = World{
		Name: "and, 100,000 on both sides of a subject", Model: fmt.Sprintf(restricted, "and"), Full: 100_000, Small: 1_000,
		Tuples: ofSubject, Questions: func(size int) []Question { return questionsOfSubject(size, size/2, size) },
	}
	butNotByObject = World{
		Name: "but not, 100,000 on both sides of an object", Model: fmt.Sprintf(restricted, "but not"), Full: 100_000, Small: 1_000,
		Tuples: ofObject, Questions: func(size int) []Question { return questionsOfObject(size, 0, size/2) },
	}
	andByObject = World{
		Name: "and, 100,000 on both sides of an object", Model: fmt.Sprintf(restricted, "and"), Full: 100_000, Small: 1_000,
		Tuples: ofObject, Questions: func(size int) []Question { return questionsOfObject(size, size/2, size) },
	}
)

// ofSubject has one user on both sides of many media.
var ofSubject = tuplesOf(func(l *listing, size int) {
	l.each(size, func(m int) bool {
		return l.add("media:%s#viewer@user:busy", id(m)) && l.add("media:%s#marked@user:busy", id(m+size/2))
	})
})

// ofObject has one media with many users on both sides.
var ofObject = tuplesOf(func(l *listing, size int) {
	l.each(size, func(u int) bool {
		return l.add("media:hot#viewer@user:%s", id(u)) && l.add("media:hot#marked@user:%s", id(u+size/2))
	})
})

// questionsOfSubject are for a user who can view the media from one number up to another.
func questionsOfSubject(size, from, to int) []Question {
	allowed, denied := (from+to)/2, 3*size/2-1
	return []Question{
		{Name: "Check, allowed", Object: "media:" + id(allowed), Relation: "can_view", Subject: "user:busy", Want: []string{"allowed"}},
		{Name: "Check, denied", Object: "media:" + id(denied), Relation: "can_view", Subject: "user:busy", Want: []string{"denied"}},
		{
			Name: "FilterObjects of 100", Kind: FilterObjects, Object: "media", Relation: "can_view", Subject: "user:busy",
			Candidates: append(ids(from, from+50), ids(denied-49, denied+1)...), Want: ids(from, from+50),
		},
		{Name: "ListObjects, 100", Kind: ListObjects, Object: "media", Relation: "can_view", Subject: "user:busy", Page: 100, Want: ids(from, from+100)},
		{
			Name: "ListObjects, the last 100", Kind: ListObjects, Object: "media", Relation: "can_view", Subject: "user:busy",
			After: id(to - 101), Want: ids(to-100, to),
		},
		{Name: "ListObjects", Kind: ListObjects, Object: "media", Relation: "can_view", Subject: "user:busy", Want: ids(from, to)},
		{Name: "ListSubjects", Kind: ListSubjects, Object: "media:" + id(allowed), Relation: "can_view", Subject: "user", Want: []string{"busy"}},
	}
}

// questionsOfObject are for a media that the users from one number up to another can view.
func questionsOfObject(size, from, to int) []Question {
	allowed, denied := "user:"+id((from+to)/2), "user:"+id(3*size/2-1)
	return []Question{
		{Name: "Check, allowed", Object: "media:hot", Relation: "can_view", Subject: allowed, Want: []string{"allowed"}},
		{Name: "Check, denied", Object: "media:hot", Relation: "can_view", Subject: denied, Want: []string{"denied"}},
		{Name: "ListSubjects, 100", Kind: ListSubjects, Object: "media:hot", Relation: "can_view", Subject: "user", Page: 100, Want: ids(from, from+100)},
		{
			Name: "ListSubjects, the last 100", Kind: ListSubjects, Object: "media:hot", Relation: "can_view", Subject: "user",
			After: id(to - 101), Want: ids(to-100, to),
		},
		{Name: "ListSubjects", Kind: ListSubjects, Object: "media:hot", Relation: "can_view", Subject: "user", Want: ids(from, to)},
		{Name: "ListObjects", Kind: ListObjects, Object: "media", Relation: "can_view", Subject: allowed, Want: []string{"hot"}},
	}
}
