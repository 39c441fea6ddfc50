package adversarial

// sharing is a library whose media are shared with users and with groups, which nest.
const sharing = `
model
  schema 1.1

type user

type group
  relations
    define member: [user, group#member]

type media
  relations
    define viewer: [user, group#member]
    define can_view: viewer
`

// largeGroup is a group of a million members. It lies in another, with which a hundred media are
// shared.
var largeGroup = World{
	Name: "a group of a million members", Model: sharing, Full: 1_000_000, Small: 2_000,
	Tuples: tuplesOf(func(l *listing, size int) {
		l.add("group:top#member@group:everybody#member")
		l.each(100, func(m int) bool { return l.add("media:%s#viewer@group:top#member", id(m)) })
		l.each(size, func(u int) bool { return l.add("group:everybody#member@user:%s", id(u)) })
	}),
	Questions: func(size int) []Question {
		last := "user:" + id(size-1)
		return []Question{
			{Name: "Check of a member", Object: "media:" + id(7), Relation: "can_view", Subject: last, Want: []string{"allowed"}},
			{Name: "Check of a stranger", Object: "media:" + id(7), Relation: "can_view", Subject: "user:nobody", Want: []string{"denied"}},
			{Name: "ListObjects of a member", Kind: ListObjects, Object: "media", Relation: "can_view", Subject: last, Want: ids(0, 100)},
			{Name: "ListSubjects, 100", Kind: ListSubjects, Object: "media:" + id(7), Relation: "can_view", Subject: "user", Page: 100, Want: ids(0, 100)},
			{
				Name: "ListSubjects, 100 from the middle on", Kind: ListSubjects, Object: "media:" + id(7), Relation: "can_view", Subject: "user",
				Page: 100, After: id(size/2 - 1), Want: ids(size/2, size/2+100),
			},
		}
	},
}

// manyGroups is a user in 10,000 groups. A media is shared with each of them, and as many with
// groups that the user is not in.
var manyGroups = World{
	Name: "a user in 10,000 groups", Model: sharing, Full: 10_000, Small: 500,
	Tuples: tuplesOf(func(l *listing, size int) {
		l.each(size, func(g int) bool { return l.add("group:%s#member@user:busy", id(g)) })
		l.each(2*size, func(m int) bool { return l.add("media:%s#viewer@group:%s#member", id(m), id(m)) })
	}),
	Questions: func(size int) []Question {
		return []Question{
			{Name: "Check by the last group", Object: "media:" + id(size-1), Relation: "can_view", Subject: "user:busy", Want: []string{"allowed"}},
			{Name: "Check without one", Object: "media:" + id(size), Relation: "can_view", Subject: "user:busy", Want: []string{"denied"}},
			{
				Name: "FilterObjects of 100", Kind: FilterObjects, Object: "media", Relation: "can_view", Subject: "user:busy",
				Candidates: ids(size-50, size+50), Want: ids(size-50, size),
			},
			{Name: "ListObjects", Kind: ListObjects, Object: "media", Relation: "can_view", Subject: "user:busy", Want: ids(0, size)},
		}
	},
}

// manyShares is an object that is shared with 10,000 groups of one user each.
var manyShares = World{
	Name: "an object shared with 10,000 groups", Model: sharing, Full: 10_000, Small: 500,
	Tuples: tuplesOf(func(l *listing, size int) {
		l.each(size, func(g int) bool {
			return l.add("media:open#viewer@group:%s#member", id(g)) && l.add("group:%s#member@user:%s", id(g), id(g))
		})
		l.add("group:%s#member@user:outside", id(size))
	}),
	Questions: func(size int) []Question {
		last := "user:" + id(size-1)
		return []Question{
			{Name: "Check of a member of the last", Object: "media:open", Relation: "can_view", Subject: last, Want: []string{"allowed"}},
			{Name: "Check of a member of another", Object: "media:open", Relation: "can_view", Subject: "user:outside", Want: []string{"denied"}},
			{Name: "ListObjects of a member", Kind: ListObjects, Object: "media", Relation: "can_view", Subject: last, Want: []string{"open"}},
			{Name: "ListSubjects", Kind: ListSubjects, Object: "media:open", Relation: "can_view", Subject: "user", Want: ids(0, size)},
		}
	},
}

// groupChain is 10,000 groups that each lie in the one before. A media is shared with the
// first, and users are in the last and in the middle.
var groupChain = World{
	Name: "a chain of 10,000 groups", Model: sharing, Full: 10_000, Small: 500,
	Tuples: tuplesOf(func(l *listing, size int) {
		l.add("media:deep#viewer@group:%s#member", id(0))
		l.each(size-1, func(g int) bool { return l.add("group:%s#member@group:%s#member", id(g), id(g+1)) })
		l.add("group:%s#member@user:last", id(size-1))
		l.add("group:%s#member@user:middle", id(size/2))
		l.add("group:%s#member@user:outside", id(size))
	}),
	Questions: func(int) []Question {
		return []Question{
			{Name: "Check of a member of the last", Object: "media:deep", Relation: "can_view", Subject: "user:last", Want: []string{"allowed"}},
			{Name: "Check of a stranger", Object: "media:deep", Relation: "can_view", Subject: "user:outside", Want: []string{"denied"}},
			{Name: "ListObjects of a member", Kind: ListObjects, Object: "media", Relation: "can_view", Subject: "user:last", Want: []string{"deep"}},
			{Name: "ListSubjects", Kind: ListSubjects, Object: "media:deep", Relation: "can_view", Subject: "user", Want: []string{"last", "middle"}},
		}
	},
}
