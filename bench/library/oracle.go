package library

// Outcome is the answer to a question.
type Outcome uint8

const (
	Denied Outcome = iota
	Allowed
	Conditional // on a password that the question does not speak of
)

// String returns "denied", "allowed" or "conditional".
func (o Outcome) String() string { return [...]string{"denied", "allowed", "conditional"}[o] }

// inTeam is what a team gives in its folders. A row of one's own that is no more than
// another takes the general row away (C4).
func (l *Library) inTeam(v *visitor, number int32) rights {
	t := l.team(number)
	active := false
	for _, member := range t.members {
		active = active || v.is(member)
	}
	if !active {
		return 0
	}
	held := ladder[viewer].holds
	general := ladder[t.general].holds
	for _, row := range t.own {
		if !v.is(row.to) {
			continue
		}
		held |= ladder[row.role].holds
		if row.role != editor {
			general = 0
		}
	}
	return held | general
}

// inFolder is what a visitor holds on a folder: natively, and from the folders above up
// to a seal. Owners hold their right to own alone.
func (l *Library) inFolder(v *visitor, number int32) rights {
	f := &l.folders[number]
	held := v.given(f.owner == v.user, f.shares)
	if f.administered && v.administrates {
		held |= ladder[admin].holds
	}
	if f.team != none {
		held |= l.inTeam(v, f.team)
	}
	if f.parent != none && !f.sealed {
		held |= l.inFolder(v, f.parent) &^ owning
	}
	return held
}

// inCollection is what a visitor holds on a collection. Nothing flows into one.
func (l *Library) inCollection(v *visitor, number int32) belief {
	c := l.collection(number)
	held := v.given(c.owner == v.user, c.shares)
	if v.administrates {
		held |= ladder[admin].holds
	}
	return surely(held).or(v.opens(number))
}

// access is what a visitor holds on a media: on its own account, which fills an
// overview (B9), and lent by collections; and whether a status hides it.
type access struct {
	own    rights
	lent   belief
	hidden bool
}

// inMedia is what a visitor holds on a media, given what it holds on the folder.
func (l *Library) inMedia(v *visitor, number int32, m *media, inFolder rights) access {
	var a access
	switch {
	case m.whole != none:
		whole := l.mediaOf(m.whole, m.folder)
		a = l.inMedia(v, m.whole, &whole, inFolder)
		a.own &^= owning
	case !m.sealed:
		a.own = inFolder &^ owning
	}
	a.own |= v.given(m.owner == v.user, m.shares)
	for _, c := range m.collections {
		a.lent = a.lent.or(l.lends(v, c))
	}
	a.hidden = a.hidden || m.status != none && !v.administrates && v.is(l.hiddenFrom(m.status))
	return a
}

// lends is what a collection gives on the media in it: to view, comment and download, and
// to edit only where one's group may (B12).
func (l *Library) lends(v *visitor, collection int32) belief {
	held := l.inCollection(v, collection)
	edits := v.is(recipient{toGroup, l.mediaEditors})
	lent := func(held rights) rights {
		if edits && held&viewing != 0 {
			return ladder[editor].holds
		}
		return held & (viewing | commenting | downloading)
	}
	return belief{lent(held.sure), lent(held.maybe)}
}

// can tells whether the visitor has a right to the media that a status can take away.
func (a access) can(needs rights) Outcome {
	if a.hidden {
		return Denied
	}
	return surely(a.own).or(a.lent).outcome(needs)
}
