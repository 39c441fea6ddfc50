package adversarial

// foldered is a library whose media lie in folders.
const foldered = `
model
  schema 1.1

type user

type folder
  relations
    define viewer: [user]

type media
  relations
    define parent: [folder]
    define viewer: [user]
    define can_view: viewer or viewer from parent
`

// fullFolder is a folder with a million media, which one user may see.
var fullFolder = World{
	Name: "a folder with a million media", Model: foldered, Full: 1_000_000, Small: 2_000,
	Tuples: tuplesOf(func(l *listing, size int) {
		l.add("folder:full#viewer@user:anna")
		l.each(size, func(m int) bool { return l.add("media:%s#parent@folder:full", id(m)) })
	}),
	Questions: func(size int) []Question {
		last := "media:" + id(size-1)
		return []Question{
			{Name: "Check of the last", Object: last, Relation: "can_view", Subject: "user:anna", Want: []string{"allowed"}},
			{Name: "Check of a stranger", Object: last, Relation: "can_view", Subject: "user:bert", Want: []string{"denied"}},
			{
				Name: "FilterObjects of 100", Kind: FilterObjects, Object: "media", Relation: "can_view", Subject: "user:anna",
				Candidates: ids(size-50, size+50), Want: ids(size-50, size),
			},
			{Name: "ListObjects, 100", Kind: ListObjects, Object: "media", Relation: "can_view", Subject: "user:anna", Page: 100, Want: ids(0, 100)},
			{
				Name: "ListObjects, 100 from the middle on", Kind: ListObjects, Object: "media", Relation: "can_view", Subject: "user:anna",
				Page: 100, After: id(size/2 - 1), Want: ids(size/2, size/2+100),
			},
			{Name: "ListObjects", Kind: ListObjects, Object: "media", Relation: "can_view", Subject: "user:anna", Want: ids(0, size)},
			{Name: "ListSubjects", Kind: ListSubjects, Object: last, Relation: "can_view", Subject: "user", Want: []string{"anna"}},
		}
	},
}
