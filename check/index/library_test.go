package index

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/usher-authz/usher/tuples"
)

// Symbols of the library's types and relations.
const (
	typeUser tuples.Symbol = iota + 1
	typeGroup
	typeFolder
	typeMedia
	typeCollection
	relMember
	relParent
	relOwner
	relViewer
	relCollection
)

var typeNamesOf = map[tuples.Symbol]tuples.ObjectType{
	typeUser: "user", typeGroup: "group", typeFolder: "folder", typeMedia: "media", typeCollection: "collection",
}

// library is a media library of about 1.7 tuples a media, shaped like that of the
// benchmarks in bench: users in groups, groups in groups, media in folders and collections,
// shares to users and groups.
type library struct {
	media, users, groups, folders, collections int
	keys                                       []tuples.EdgeKey // in the order of a load
}

func newLibrary(size int) *library {
	l := &library{media: size * 10 / 17}
	l.users, l.groups = max(l.media/20, 10), max(l.media/100, 5)
	l.folders, l.collections = max(l.media/12, 10), max(l.media/60, 5)
	random := rand.New(rand.NewPCG(1, 2))
	pick := func(t tuples.Symbol, n int) tuples.Node { return tuples.NewNode(t, uint32(random.IntN(n))+1) }
	add := func(object tuples.Node, relation tuples.Symbol, subject tuples.Node, subjectRelation tuples.Symbol) {
		l.keys = append(l.keys, tuples.EdgeKey{Object: object, Relation: relation, Subject: subject, SubjectRelation: subjectRelation})
	}
	node := func(t tuples.Symbol, i int) tuples.Node { return tuples.NewNode(t, uint32(i)+1) }
	for u := range l.users {
		for range 2 {
			add(pick(typeGroup, l.groups), relMember, node(typeUser, u), 0)
		}
	}
	for g := 1; g < l.groups; g++ {
		add(node(typeGroup, g/2), relMember, node(typeGroup, g), relMember)
	}
	for f := 1; f < l.folders; f++ {
		add(node(typeFolder, f), relParent, pick(typeFolder, f), 0)
		add(node(typeFolder, f), relOwner, pick(typeUser, l.users), 0)
		if f%3 == 0 {
			add(node(typeFolder, f), relViewer, pick(typeGroup, l.groups), relMember)
		}
	}
	for c := range l.collections {
		add(node(typeCollection, c), relViewer, pick(typeGroup, l.groups), relMember)
	}
	for m := range l.media {
		add(node(typeMedia, m), relParent, pick(typeFolder, l.folders), 0)
		if m%5 == 0 {
			add(node(typeMedia, m), relCollection, pick(typeCollection, l.collections), 0)
		}
		if m%6 == 0 {
			add(node(typeMedia, m), relViewer, pick(typeUser, l.users), 0)
		}
		if m%100 == 3 {
			add(node(typeMedia, m), relOwner, pick(typeUser, l.users), 0)
			add(node(typeMedia, m), relViewer, pick(typeGroup, l.groups), relMember)
		}
		if m%1000 == 2 {
			add(node(typeMedia, m), relViewer, tuples.WildcardNode(typeUser), 0)
		}
	}
	slices.SortFunc(l.keys, compareKeys)
	l.keys = slices.Compact(l.keys)
	return l
}

// names calls visit for every object. Ids have 10 to 20 bytes, as real ones do.
func (l *library) names(visit func(tuples.Node, tuples.Object)) {
	for t, n := range map[tuples.Symbol]int{
		typeUser: l.users, typeGroup: l.groups, typeFolder: l.folders, typeMedia: l.media, typeCollection: l.collections,
	} {
		for i := range n {
			visit(tuples.NewNode(t, uint32(i)+1), l.object(t, i))
		}
	}
}

func (l *library) object(t tuples.Symbol, i int) tuples.Object {
	return tuples.Object{Type: typeNamesOf[t], ID: tuples.ID(fmt.Sprintf("%s-%08d", typeNamesOf[t], i))}
}
