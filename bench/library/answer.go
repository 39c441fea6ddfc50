package library

import "github.com/usher-authz/usher/tuples"

// thing is what is asked about: a folder, a collection or a media.
type thing struct {
	kind   kind // ofFolder, ofCollection or ofMedia
	number int32
}

func (l *Library) object(of thing) tuples.Object {
	switch of.kind {
	case ofFolder:
		return l.folderObject(of.number)
	case ofCollection:
		return l.collectionObject(of.number)
	}
	return l.mediaObject(of.number)
}

// derived are the relations of the model that stand for a right, beside those of roles. On
// a collection, members of certain groups may do more.
var derived = map[tuples.Relation]rights{
	"can_view":     viewing,
	"can_comment":  commenting,
	"can_download": downloading,
	"can_edit":     editing,
	"can_share":    administering,
	"can_delete":   administering,
}

// answer tells whether a visitor has a relation to a thing: a role or a derived one.
func (l *Library) answer(v *visitor, of thing, relation tuples.Relation) Outcome {
	needs, isDerived := derived[relation]
	if !isDerived {
		needs = rightOf(relation)
	}
	switch of.kind {
	case ofFolder:
		return surely(l.inFolder(v, of.number)).outcome(needs)
	case ofCollection:
		held := l.inCollection(v, of.number)
		return held.or(l.extra(v, held, relation)).outcome(needs)
	}
	folder := l.folderOf(of.number)
	m := l.mediaOf(of.number, folder)
	a := l.inMedia(v, of.number, &m, l.inFolder(v, folder))
	if isDerived {
		return a.can(needs)
	}
	return surely(a.own).outcome(needs)
}

// rightOf returns the right that tells a role from those that do not hold it.
func rightOf(relation tuples.Relation) rights {
	for step, role := range ladder {
		if role.relation == relation {
			return viewing << step
		}
	}
	panic("library: no relation " + string(relation) + "; add it to the oracle")
}

// extra is what a group may do in all collections that its members see (B10, B13).
func (l *Library) extra(v *visitor, held belief, relation tuples.Relation) belief {
	give := rights(0)
	switch {
	case relation == "can_edit" && v.is(recipient{toGroup, l.collectionEditors}):
		give = editing
	case relation == "can_share" && v.is(recipient{toGroup, l.collectionSharers}):
		give = administering
	}
	var b belief
	if held.sure&viewing != 0 {
		b.sure = give
	}
	if held.maybe&viewing != 0 {
		b.maybe = give
	}
	return b
}
