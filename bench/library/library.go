package library

import (
	"fmt"
	"slices"
)

// Sizes of libraries, in tuples. What [New] makes has within 1 % as many. Below the smallest
// there are too few users and media to draw questions about.
const (
	Smallest = 10_000

	S = 100_000
	M = 971_564
	L = 10_000_000
)

// How many media there are for one of these, and how many tuples for one media: counted
// in libraries of S, M and L.
const (
	mediaPerUser       = 10
	mediaPerGroup      = 100
	mediaPerFolder     = 12
	mediaPerCollection = 60
	tuplesPerMedia     = 2.977
)

// rareInLife is the chance of what is out of the ordinary.
const rareInLife = 0.01

// Library is a media library that does not change. It is safe for concurrent use.
type Library struct {
	seed uint64
	rare float64

	users, staff             int32 // the users behind the staff are guests
	staffGroups, departments int32 // the first groups are departments
	allClients               int32 // the group of all clients' guests
	collections, teams       int32
	media                    int32

	groups  []group
	folders []folder

	administrators []int32 // users
	// What the members of one group each may do in all collections that they see (B10,
	// B12, B13).
	collectionEditors, collectionSharers, mediaEditors int32
	published                                          []int32 // the media that are public
}

// New makes the library of a seed, of about size tuples: [Smallest] to [L].
func New(seed uint64, size int) *Library {
	if size < Smallest || size > L {
		panic(fmt.Sprintf("library: size %d is not from %d to %d tuples", size, Smallest, L))
	}
	return build(seed, int32(float64(size)/tuplesPerMedia), rareInLife)
}

// build makes a library of about so many media.
func build(seed uint64, media int32, rare float64) *Library {
	l := &Library{seed: seed, rare: rare}
	guests := max(media/mediaPerUser/20, 2)
	l.staff = max(media/mediaPerUser-guests, 8)
	l.users = l.staff + guests
	l.staffGroups = max(media/mediaPerGroup, 6)
	l.departments = max(l.staffGroups/50, 2)
	l.collections = max(media/mediaPerCollection, 6)
	l.teams = max(media/mediaPerFolder/400, 6)
	l.organise(max(guests/5, min(guests, 2*readersEach)))
	l.plant(max(media/mediaPerFolder, 8))
	l.appoint()
	l.serveClients()
	return l
}

// appoint draws who and what there are only a few of.
func (l *Library) appoint() {
	d := l.dice(ofGroup, none)
	for range 3 {
		user := d.Int32N(l.staff)
		if !slices.Contains(l.administrators, user) {
			l.administrators = append(l.administrators, user)
		}
	}
	l.collectionEditors = d.Int32N(l.staffGroups)
	l.collectionSharers = d.Int32N(l.staffGroups)
	l.mediaEditors = d.Int32N(l.staffGroups)
	for range 4 {
		l.published = append(l.published, d.Int32N(l.media))
	}
}
