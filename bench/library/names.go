package library

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/usher-authz/usher/tuples"
)

// What people are called before the number that tells them apart.
var (
	firstNames  = [...]string{"mira", "jonas", "aylin", "tomas", "noor", "emil", "sofia", "kwame", "lena", "ravi", "ines", "piotr"}
	lastNames   = [...]string{"lindqvist", "moreau", "okafor", "schmitt", "tanaka", "costa", "novak", "haddad", "byrne", "larsen"}
	departments = [...]string{"design", "photo", "motion", "press", "sales", "legal", "archive", "retail"}
)

var organisation = tuples.Object{Type: "organisation", ID: "lumen"}

func (l *Library) user(number int32) tuples.Subject {
	return tuples.Subject{Type: "user", ID: l.mailbox(number, "lumen.example")}
}

// address is where an invitation to a user was sent to.
func (l *Library) address(number int32) tuples.Object {
	return tuples.Object{Type: "address", ID: l.mailbox(number, "post.example")}
}

func (l *Library) mailbox(number int32, domain string) tuples.ID {
	if number >= l.staff {
		domain = "client." + domain
	}
	first, last := firstNames[number%int32(len(firstNames))], lastNames[number%int32(len(lastNames))]
	return tuples.ID(fmt.Sprintf("%s.%s.%d@%s", first, last, number, domain))
}

func (l *Library) group(number int32) tuples.Object {
	name := "clients"
	switch {
	case number > l.allClients:
		name = fmt.Sprintf("client-%d", number-l.allClients)
	case number < l.allClients:
		name = fmt.Sprintf("%s-%d", departments[number%int32(len(departments))], number)
	}
	return tuples.Object{Type: "group", ID: tuples.ID(name)}
}

func (l *Library) teamObject(number int32) tuples.Object {
	return tuples.Object{Type: "team", ID: tuples.ID(fmt.Sprintf("project-%d", number))}
}

func statusObject(number int32) tuples.Object {
	return tuples.Object{Type: "status", ID: tuples.ID([statuses]string{"in-dispute", "unreleased", "confidential"}[number])}
}

func (l *Library) folderObject(number int32) tuples.Object {
	return tuples.Object{Type: "folder", ID: l.ulid(ofFolder, number)}
}

func (l *Library) collectionObject(number int32) tuples.Object {
	return tuples.Object{Type: "collection", ID: l.ulid(ofCollection, number)}
}

func (l *Library) mediaObject(number int32) tuples.Object {
	return tuples.Object{Type: "media", ID: l.ulid(ofMedia, number)}
}

// The time in which the library grew.
var (
	opened = time.Date(2015, 3, 2, 8, 0, 0, 0, time.UTC)
	grown  = 10 * 365 * 24 * time.Hour
)

// ulid returns the id of a thing. It tells when the thing was made, which has nothing to
// do with where it lies: so the order of ids is not that of numbers.
func (l *Library) ulid(of kind, number int32) tuples.ID {
	d := l.dice(ofID<<8|of, number)
	var id ulid.ULID
	binary.BigEndian.PutUint64(id[6:], d.Uint64())
	binary.BigEndian.PutUint16(id[14:], uint16(d.Uint32()))
	if err := id.SetTime(ulid.Timestamp(opened.Add(time.Duration(d.Int64N(int64(grown)))))); err != nil {
		panic(err) // ULIDs reach to the year 10889
	}
	return tuples.ID(id.String())
}

// subject returns whom a share names.
func (l *Library) subject(to recipient) tuples.Subject {
	switch to.kind {
	case toUser:
		return l.user(to.index)
	case toGroup:
		return members(l.group(to.index))
	case toAddress:
		return tuples.Userset{Object: l.address(to.index), Relation: "account"}.Subject()
	case toOrganisation:
		return members(organisation)
	case toPublic:
		return tuples.Subject{Type: "user", ID: tuples.Wildcard}
	}
	panic(fmt.Sprintf("library: unknown kind of recipient %d", to.kind))
}

func members(of tuples.Object) tuples.Subject {
	return tuples.Userset{Object: of, Relation: "member"}.Subject()
}
