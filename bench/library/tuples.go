package library

import (
	"iter"

	"github.com/usher-authz/usher/tuples"
)

// Tuples streams the tuples of the library, no two of one key: those of people first, then
// folders, collections and media, each thing's together.
func (l *Library) Tuples() iter.Seq[tuples.Tuple] {
	parts := []struct {
		count int32
		of    func(*listing, int32)
	}{
		{1, l.listOrganisation},
		{int32(len(l.groups)), l.listGroup},
		{l.users, l.listUser},
		{statuses, l.listStatus},
		{l.teams, l.listTeam},
		{int32(len(l.folders)), l.listFolder},
		{l.collections, l.listCollection},
	}
	return func(yield func(tuples.Tuple) bool) {
		var list listing
		for _, part := range parts {
			for i := range part.count {
				if part.of(&list, i); !list.flush(yield) {
					return
				}
			}
		}
		for f := range l.folders {
			for m := range l.folders[f].count {
				if l.listMedia(&list, l.folders[f].first+m, int32(f)); !list.flush(yield) {
					return
				}
			}
		}
	}
}

// listing is the tuples of one thing.
type listing struct {
	of     tuples.Object
	tuples []tuples.Tuple
}

func (s *listing) add(relation tuples.Relation, subject tuples.Subject, grant tuples.Grant) {
	s.tuples = append(s.tuples, tuples.Tuple{Key: tuples.Key{Object: s.of, Relation: relation, Subject: subject}, Grant: grant})
}

// object adds a tuple between two objects.
func (s *listing) object(relation tuples.Relation, of tuples.Object) {
	s.add(relation, tuples.Subject{Type: of.Type, ID: of.ID}, tuples.Grant{})
}

func (s *listing) flush(yield func(tuples.Tuple) bool) bool {
	for _, t := range s.tuples {
		if !yield(t) {
			return false
		}
	}
	s.tuples = s.tuples[:0]
	return true
}

func (l *Library) addShares(s *listing, shares []share) {
	for _, share := range shares {
		s.add(ladder[share.role].relation, l.subject(share.to), share.grant())
	}
}

func (l *Library) listOrganisation(s *listing, _ int32) {
	s.of = organisation
	for _, user := range l.administrators {
		s.add("administrator", l.user(user), tuples.Grant{})
	}
	for department := range l.departments {
		s.add("member", members(l.group(department)), tuples.Grant{})
	}
	s.add("teamwork", l.subject(recipient{kind: toPublic}), tuples.Grant{Expires: expiries[inTheFuture]})
	s.add("collection_editor", members(l.group(l.collectionEditors)), tuples.Grant{})
	s.add("collection_sharer", members(l.group(l.collectionSharers)), tuples.Grant{})
	s.add("media_editor", members(l.group(l.mediaEditors)), tuples.Grant{})
}

// listGroup lists where a group lies. Its members come with the users.
func (l *Library) listGroup(s *listing, number int32) {
	for _, parent := range l.groups[number].parents {
		s.of = l.group(parent)
		s.add("member", members(l.group(number)), tuples.Grant{})
	}
}

func (l *Library) listUser(s *listing, number int32) {
	for _, group := range l.memberships(number) {
		s.of = l.group(group)
		s.add("member", l.user(number), tuples.Grant{})
	}
	if l.hasAccount(number) {
		s.of = l.address(number)
		s.add("account", l.user(number), tuples.Grant{})
	}
}

func (l *Library) listStatus(s *listing, number int32) {
	s.of = statusObject(number)
	s.object("organisation", organisation)
	s.add("hidden_from", l.subject(l.hiddenFrom(number)), tuples.Grant{})
}

func (l *Library) listTeam(s *listing, number int32) {
	s.of = l.teamObject(number)
	s.object("organisation", organisation)
	t := l.team(number)
	for _, member := range t.members {
		s.add("member", l.subject(member), tuples.Grant{})
	}
	if t.general != viewer {
		s.add("general_"+ladder[t.general].relation, l.subject(recipient{kind: toPublic}), tuples.Grant{})
	}
	for _, row := range t.own {
		s.add("own_"+ladder[row.role].relation, l.subject(row.to), tuples.Grant{})
	}
}

func (l *Library) listFolder(s *listing, number int32) {
	s.of = l.folderObject(number)
	f := &l.folders[number]
	if f.parent != none {
		s.object(parentRelation(f.sealed), l.folderObject(f.parent))
	}
	if f.administered {
		s.object("organisation", organisation)
	}
	if f.team != none {
		s.object("team", l.teamObject(f.team))
	}
	s.add("owner", l.user(f.owner), tuples.Grant{})
	l.addShares(s, f.shares)
}

func parentRelation(sealed bool) tuples.Relation {
	if sealed {
		return "sealed_parent"
	}
	return "parent"
}

func (l *Library) listCollection(s *listing, number int32) {
	s.of = l.collectionObject(number)
	s.object("organisation", organisation)
	c := l.collection(number)
	s.add("owner", l.user(c.owner), tuples.Grant{})
	l.addShares(s, c.shares)
	if version, opens := passwordOf(number); version != "" {
		relation := tuples.Relation("view_password")
		if opens&downloading != 0 {
			relation = "download_password"
		}
		password := &tuples.Condition{Name: "password", Context: tuples.Context{"version": version}}
		s.add(relation, l.subject(recipient{kind: toPublic}), tuples.Grant{Condition: password})
	}
}

func (l *Library) listMedia(s *listing, number, folder int32) {
	s.of = l.mediaObject(number)
	m := l.mediaOf(number, folder)
	if m.whole != none {
		s.object("parent", l.mediaObject(m.whole))
	} else {
		s.object(parentRelation(m.sealed), l.folderObject(folder))
	}
	s.add("owner", l.user(m.owner), tuples.Grant{})
	l.addShares(s, m.shares)
	for _, c := range m.collections {
		s.object("collection", l.collectionObject(c))
	}
	if m.status != none {
		s.object("status", statusObject(m.status))
	}
}
