package library

import (
	"cmp"
	"slices"

	"github.com/usher-authz/usher/tuples"
)

// List asks for all media that a user can view.
type List struct {
	Subject tuples.Subject
	Items   []Item // sorted bytewise by id
}

// Item is a media of a list.
type Item struct {
	ID      tuples.ID
	Outcome Outcome // allowed or conditional
}

// Lists returns questions for about length media, [ShortList] or [LongList]: of one guest
// of each client that is there for it. None if the library is too small.
func (l *Library) Lists(length int) []List {
	var lists []List
	for c, end := l.readers(length); c < end; c++ {
		lists = append(lists, l.list(l.staff+c)) // the client's first guest
	}
	return lists
}

// list looks at every media.
func (l *Library) list(user int32) List {
	v := l.visitor(user, "")
	list := List{Subject: l.user(user)}
	for f := range l.folders {
		inFolder := l.inFolder(v, int32(f))
		for i := range l.folders[f].count {
			number := l.folders[f].first + i
			m := l.mediaOf(number, int32(f))
			access := l.inMedia(v, number, &m, inFolder)
			if outcome := access.can(viewing); outcome != Denied {
				list.Items = append(list.Items, Item{l.mediaObject(number).ID, outcome})
			}
		}
	}
	slices.SortFunc(list.Items, func(a, b Item) int { return cmp.Compare(a.ID, b.ID) })
	return list
}
