package library

import "slices"

// visitor is a user with what matters of it to any answer.
type visitor struct {
	user          int32
	groups        []int32 // all that it is a member of
	works         bool    // a member of the organisation
	administrates bool
	hasAccount    bool
	proof         string // the version of a password that it presents; "" for no word of passwords
}

func (l *Library) visitor(user int32, proof string) *visitor {
	return &visitor{
		user: user, groups: l.allGroups(user), proof: proof,
		works:         user < l.staff, // a department is behind every group of the staff
		administrates: slices.Contains(l.administrators, user),
		hasAccount:    l.hasAccount(user),
	}
}

// is reports whether a share to a recipient reaches the visitor.
func (v *visitor) is(to recipient) bool {
	switch to.kind {
	case toUser:
		return to.index == v.user
	case toGroup:
		return slices.Contains(v.groups, to.index)
	case toAddress:
		return to.index == v.user && v.hasAccount
	case toOrganisation:
		return v.works
	}
	return true // toPublic
}

// given returns what shares, and being the owner, give the visitor.
func (v *visitor) given(owned bool, shares []share) rights {
	var held rights
	if owned {
		held = ladder[owner].holds
	}
	for _, s := range shares {
		if s.lasts != inThePast && v.is(s.to) {
			held |= ladder[s.role].holds
		}
	}
	return held
}

// opens returns what a password of a collection gives the visitor.
func (v *visitor) opens(collection int32) belief {
	switch version, opens := passwordOf(collection); {
	case version == "":
		return belief{}
	case v.proof == "":
		return belief{maybe: opens}
	case v.proof == version:
		return surely(opens)
	}
	return belief{}
}
