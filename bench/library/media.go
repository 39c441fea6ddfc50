package library

import (
	"math/rand/v2"
	"slices"
)

// media is one media. It lies in a folder or in another media.
type media struct {
	folder      int32 // where it, or the whole that it is a part of, lies
	whole       int32 // the media that it is a part of (E5); none for most
	sealed      bool
	owner       int32
	shares      []share
	collections []int32
	status      int32 // none for most
}

// mediaOf draws what there is to know of a media that lies in a folder.
func (l *Library) mediaOf(number, folder int32) media {
	d := l.dice(ofMedia, number)
	in := &l.folders[folder]
	m := media{folder: folder, whole: none, owner: in.owner, status: none}
	if d.IntN(2) == 0 {
		m.owner = d.Int32N(l.staff)
	}
	if number > in.first && l.rarely(d) {
		m.whole = number - 1
	} else {
		m.sealed = d.Float64() < l.rare/2
	}
	if l.rarely(d) {
		m.status = d.Int32N(statuses)
	}
	l.publish(d, number, &m)
	return m
}

// publish draws what is open beyond the folder: a share for every fourth media or so,
// a collection for every eighth.
func (l *Library) publish(d *rand.Rand, number int32, m *media) {
	for range [...]int{0, 0, 0, 0, 0, 0, 0, 1, 2}[d.IntN(9)] {
		m.shares = add(m.shares, l.shareWith(d, 0.15, true))
	}
	if slices.Contains(l.published, number) {
		m.shares = append(m.shares, share{role: viewer, to: recipient{kind: toPublic}})
	}
	for d.IntN(8) == 0 {
		if c := d.Int32N(l.collections); !slices.Contains(m.collections, c) {
			m.collections = append(m.collections, c)
		}
	}
}

// folderOf finds the folder that a media lies in.
func (l *Library) folderOf(number int32) int32 {
	after, _ := slices.BinarySearchFunc(l.folders, number, func(f folder, n int32) int {
		if f.first <= n {
			return -1
		}
		return 1
	})
	return int32(after - 1) // folders without media begin where the next does
}

// The first collections are open to everybody: one at once, two to those who have the
// password, of which one allows to download as well (D4).
const (
	publicCollection int32 = iota
	viewPassword
	downloadPassword
)

// collection is a selection of media.
type collection struct {
	owner  int32
	shares []share
}

func (l *Library) collection(number int32) collection {
	d := l.dice(ofCollection, number)
	c := collection{owner: d.Int32N(l.staff)}
	for range d.IntN(4) {
		c.shares = add(c.shares, l.shareWith(d, 0.6, true))
	}
	if number == publicCollection {
		c.shares = append(c.shares, share{role: viewer, to: recipient{kind: toPublic}})
	}
	return c
}

// passwordOf returns the version of the password that opens a collection, and what it
// allows. "" if there is none.
func passwordOf(collection int32) (version string, opens rights) {
	switch collection {
	case viewPassword:
		return "press-2", viewing
	case downloadPassword:
		return "retailers-5", viewing | downloading
	}
	return "", 0
}

// statuses is how many statuses there are.
const statuses int32 = 3

// hiddenFrom is whom a status hides media from: everybody, the guests of all clients, or a
// department (B8).
func (l *Library) hiddenFrom(status int32) recipient {
	switch status {
	case 0:
		return recipient{kind: toPublic}
	case 1:
		return recipient{toGroup, l.allClients}
	}
	return recipient{toGroup, l.dice(ofStatus, status).Int32N(l.departments)}
}
