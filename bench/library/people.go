package library

import "slices"

// groupDepth is how deep groups nest: a department, and three more levels.
const groupDepth = 4

// group is a group of users and of other groups.
type group struct {
	level   int8
	parents []int32 // the groups whose members its members are too; none for a department
}

// organise makes the groups: departments, the groups below them, one of all clients'
// guests, and one for the guests of each client.
func (l *Library) organise(clients int32) {
	l.groups = make([]group, 0, l.staffGroups+1+clients)
	for g := range l.staffGroups {
		l.groups = append(l.groups, l.staffGroup(g))
	}
	l.allClients = l.staffGroups
	l.groups = append(l.groups, group{level: 1})
	for range clients {
		l.groups = append(l.groups, group{level: 2, parents: []int32{l.allClients}})
	}
}

// staffGroup hangs a group below an earlier one; rarely below two.
func (l *Library) staffGroup(g int32) group {
	if g < l.departments {
		return group{level: 1}
	}
	d := l.dice(ofGroup, g)
	parent := d.Int32N(g)
	for l.groups[parent].level == groupDepth {
		parent = d.Int32N(g)
	}
	made := group{level: l.groups[parent].level + 1, parents: []int32{parent}}
	if second := d.Int32N(g); l.rarely(d) && second != parent && l.groups[second].level < made.level {
		made.parents = append(made.parents, second)
	}
	return made
}

// memberships returns the groups that name a user: one to three of the staff's, or the
// group of the client whose guest it is.
func (l *Library) memberships(user int32) []int32 {
	if user >= l.staff {
		guest := user - l.staff
		return []int32{l.client(guest % l.clients())}
	}
	d := l.dice(ofUser, user)
	var groups []int32
	for range 1 + d.IntN(3) {
		if g := d.Int32N(l.staffGroups); !slices.Contains(groups, g) {
			groups = append(groups, g)
		}
	}
	return groups
}

// clients is how many clients there are.
func (l *Library) clients() int32 { return int32(len(l.groups)) - l.client(0) }

// client returns the group of a client.
func (l *Library) client(number int32) int32 { return l.allClients + 1 + number }

// hasAccount reports whether a user has proved to read the mail of its address.
func (l *Library) hasAccount(user int32) bool { return l.rarely(l.dice(ofAccount, user)) }

// allGroups returns the groups that a user is a member of, directly or not.
func (l *Library) allGroups(user int32) []int32 {
	groups := l.memberships(user)
	for i := 0; i < len(groups); i++ {
		for _, parent := range l.groups[groups[i]].parents {
			if !slices.Contains(groups, parent) {
				groups = append(groups, parent)
			}
		}
	}
	return groups
}
