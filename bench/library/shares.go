package library

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/usher-authz/usher/tuples"
)

// recipient is whom a share names.
type recipient struct {
	kind  recipientKind
	index int32 // of the user or group
}

type recipientKind uint8

const (
	toUser recipientKind = iota
	toGroup
	toAddress // of a user, who has an account by that address or not yet (D3)
	toOrganisation
	toPublic
)

// share gives a role to a recipient.
type share struct {
	role    role
	to      recipient
	lasts   span
	limited bool // what is downloaded comes with a watermark (D9)
}

// span is how long a share lasts.
type span uint8

const (
	forEver span = iota
	inTheFuture
	inThePast // it counts as absent
)

// Times that lie before and after every run.
var expiries = [...]time.Time{
	inTheFuture: time.Date(2099, 12, 31, 23, 0, 0, 0, time.UTC),
	inThePast:   time.Date(2021, 6, 30, 22, 0, 0, 0, time.UTC),
}

// shareWith draws a share to a group, with this chance, or to a user; rarely to
// others. Where wide is false it does not go to the whole organisation.
func (l *Library) shareWith(d *rand.Rand, groups float64, wide bool) share {
	s := share{role: [...]role{viewer, viewer, viewer, commenter, commenter, downloader, editor, editor, admin}[d.IntN(9)]}
	switch x := d.Float64(); {
	case x < l.rare/4 && wide && s.role != admin:
		s.to = recipient{kind: toOrganisation}
	case x < l.rare && s.role < editor:
		s.to = recipient{toAddress, d.Int32N(l.users)}
	case d.Float64() < groups:
		s.to = recipient{toGroup, d.Int32N(l.staffGroups)}
	default:
		s.to = recipient{toUser, d.Int32N(l.staff)}
	}
	if l.rarely(d) {
		s.lasts = [...]span{inTheFuture, inThePast}[d.IntN(2)]
	}
	s.limited = s.role == downloader && l.rarely(d)
	return s
}

// add appends a share unless there is one of that role and recipient already.
func add(shares []share, s share) []share {
	same := func(t share) bool { return t.role == s.role && t.to == s.to }
	if slices.ContainsFunc(shares, same) {
		return shares
	}
	return append(shares, s)
}

// grant returns what the share's tuple says beyond its identity.
func (s share) grant() tuples.Grant {
	var g tuples.Grant
	if s.lasts != forEver {
		g.Expires = expiries[s.lasts]
	}
	if s.limited {
		g.Attributes = tuples.Attributes{"watermark": tuples.BoolValue(true), "max_image_size": tuples.IntValue(2048)}
	}
	return g
}
