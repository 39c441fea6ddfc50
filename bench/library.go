package main

import (
	"fmt"
	"math/rand/v2"

	"github.com/usher-authz/usher/tuples"
)

// library is a generated media library, the same for the same size: nested groups, a
// folder tree of depth 8, media in folders and collections, shares to users, to groups,
// to the organisation and to the public.
type library struct {
	random *rand.Rand
	tuples []tuples.Tuple
	known  map[tuples.Key]bool

	users, groups, folders, media, collections int
}

// perUser and the like are how many media there are for one of these.
const (
	perUser       = 20
	perGroup      = 100
	perFolder     = 12
	perCollection = 60
	folderDepth   = 8
)

// generate makes a library of about size tuples.
func generate(size int) *library {
	l := &library{random: rand.New(rand.NewPCG(1, 2)), known: make(map[tuples.Key]bool)}
	l.media = size * 10 / 17 // 1.7 tuples go with one media
	l.users, l.groups = max(l.media/perUser, 10), max(l.media/perGroup, 5)
	l.folders, l.collections = max(l.media/perFolder, 10), max(l.media/perCollection, 5)
	l.people()
	l.tree()
	l.shares()
	return l
}

func (l *library) add(format string, args ...any) {
	t, err := tuples.ParseTuple(fmt.Sprintf(format, args...))
	if err != nil {
		panic(err) // the formats below are this file's own
	}
	if !l.known[t.Key] {
		l.known[t.Key] = true
		l.tuples = append(l.tuples, t)
	}
}

// people puts users into groups, and groups into groups.
func (l *library) people() {
	for u := range l.users {
		l.add("organisation:studio#member@user:u%d", u)
		for range 2 {
			l.add("group:g%d#member@user:u%d", l.random.IntN(l.groups), u)
		}
	}
	for g := 1; g < l.groups; g++ {
		if g%3 != 0 {
			l.add("group:g%d#member@group:g%d#member", g/2, g)
		}
	}
}

// tree hangs each folder below an earlier one, no deeper than folderDepth, and puts
// media into folders and collections.
func (l *library) tree() {
	depth := make([]int, l.folders)
	for f := 1; f < l.folders; f++ {
		parent := l.random.IntN(f)
		for depth[parent] >= folderDepth-1 {
			parent = l.random.IntN(f)
		}
		depth[f] = depth[parent] + 1
		l.add("folder:f%d#parent@folder:f%d", f, parent)
	}
	for m := range l.media {
		l.add("media:m%d#parent@folder:f%d", m, l.random.IntN(l.folders))
		if m%5 == 0 {
			l.add("media:m%d#collection@collection:c%d", m, l.random.IntN(l.collections))
		}
	}
}

// shares gives roles. Folder 0, the root, is shared with nobody.
func (l *library) shares() {
	roles := []string{"viewer", "viewer", "commenter", "editor", "downloader"}
	for f := 1; f < l.folders; f++ {
		l.add("folder:f%d#owner@user:u%d", f, l.random.IntN(l.users))
		if f%3 == 0 {
			l.add("folder:f%d#%s@group:g%d#member", f, roles[f%len(roles)], l.random.IntN(l.groups))
		}
	}
	for c := range l.collections {
		l.add("collection:c%d#%s@group:g%d#member", c, roles[c%len(roles)], l.random.IntN(l.groups))
	}
	for m := range l.media {
		switch {
		case m%6 == 0:
			l.add("media:m%d#%s@user:u%d", m, roles[m%len(roles)], l.random.IntN(l.users))
		case m%1000 == 1:
			l.add("media:m%d#viewer@organisation:studio#member", m)
		case m%1000 == 2:
			l.add("media:m%d#viewer@user:*", m)
		}
	}
}

// question is one Check with its answer.
type question struct {
	on      tuples.Userset
	subject tuples.Subject
	allowed bool
}

// draw asks about a user and a media, both Zipf-distributed: few are asked about often.
func (l *library) draw(zipf func(n int) int) question {
	return question{
		on: tuples.Userset{
			Object:   tuples.Object{Type: "media", ID: tuples.ID(fmt.Sprintf("m%d", zipf(l.media)))},
			Relation: "can_view",
		},
		subject: tuples.Subject{Type: "user", ID: tuples.ID(fmt.Sprintf("u%d", zipf(l.users)))},
	}
}

// zipf returns a source of Zipf-distributed numbers below n.
func (l *library) zipf() func(n int) int {
	sources := make(map[int]*rand.Zipf)
	return func(n int) int {
		if sources[n] == nil {
			sources[n] = rand.NewZipf(l.random, 1.1, 10, uint64(n-1))
		}
		return int(sources[n].Uint64())
	}
}
