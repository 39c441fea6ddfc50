package library

import (
	"math/rand/v2"
	"slices"
)

// folderDepth is how many levels the tree of folders has, the root included.
const folderDepth = 8

// none is the index of nothing.
const none int32 = -1

// folder is one folder. Its media have numbers that follow each other.
type folder struct {
	parent       int32 // none for the root
	level        int8
	sealed       bool // nothing flows in from the parent (D8)
	administered bool // the organisation's administrators are admins here (D12)
	team         int32
	owner        int32
	shares       []share
	first, count int32 // its media
}

// plant makes the tree: each folder lies in an earlier one. It counts the media.
func (l *Library) plant(folders int32) {
	l.folders = make([]folder, 0, folders)
	for f := range folders {
		d := l.dice(ofFolder, f)
		made := folder{parent: none, level: 1, team: none, administered: f == 0, first: l.media, owner: d.Int32N(l.staff)}
		if f > 0 {
			l.hang(d, &made, f)
			l.open(d, &made)
		}
		made.count = d.Int32N(2*mediaPerFolder + 1)
		l.media += made.count
		l.folders = append(l.folders, made)
	}
}

// hang draws where a folder lies.
func (l *Library) hang(d *rand.Rand, made *folder, f int32) {
	made.parent = d.Int32N(f)
	for l.folders[made.parent].level == folderDepth {
		made.parent = d.Int32N(f)
	}
	made.level = l.folders[made.parent].level + 1
	made.sealed = l.rarely(d)
	made.administered = made.sealed && d.IntN(2) == 0
}

// open draws whom a folder is open to. What the whole organisation sees lies deep, so that
// it is a small part of all.
func (l *Library) open(d *rand.Rand, made *folder) {
	for range [...]int{0, 0, 0, 1, 2}[d.IntN(5)] {
		made.shares = add(made.shares, l.shareWith(d, 0.7, made.level > folderDepth/2))
	}
	if l.rarely(d) {
		made.team = d.Int32N(l.teams)
	}
}

// team is people who work together in folders: a general row of rights, and rows of their
// own for some (C4).
type team struct {
	members []recipient
	general role    // editor or commenter; viewer if there is no general row
	own     []share // editor, commenter and viewer
}

func (l *Library) team(number int32) team {
	d := l.dice(ofTeam, number)
	t := team{general: [...]role{viewer, commenter, editor}[d.IntN(3)]}
	for i := range 1 + d.IntN(5) {
		member := recipient{toUser, d.Int32N(l.staff)}
		if i < 2 {
			member = recipient{toGroup, d.Int32N(l.staffGroups)}
		}
		if !slices.Contains(t.members, member) {
			t.members = append(t.members, member)
		}
	}
	for range d.IntN(4) {
		row := share{role: [...]role{viewer, commenter, editor}[d.IntN(3)], to: t.members[d.IntN(len(t.members))]}
		if d.IntN(4) == 0 { // filled in for somebody who is no member
			row.to = recipient{toUser, d.Int32N(l.staff)}
		}
		t.own = add(t.own, row)
	}
	return t
}
