package server

import (
	"fmt"
	"slices"
	"time"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/server/wire"
	"github.com/usher-authz/usher/tuples"
)

// sharing is what SetShares does and PreviewShares supposes: on every object of a
// selection each recipient has the role that its share names, and none of the others.
type sharing struct {
	objects []tuples.Object
	shares  []share
	roles   []tuples.Relation
}

// share is what one recipient shall have.
type share struct {
	recipient tuples.Subject
	role      tuples.Relation // "" for none
	grant     tuples.Grant
}

// tuple returns what the share puts on an object.
func (s *share) tuple(object tuples.Object) tuples.Tuple {
	return tuples.Tuple{Key: tuples.Key{Object: object, Relation: s.role, Subject: s.recipient}, Grant: s.grant}
}

// given is how many of the shares give a role.
func (s *sharing) given() (n int) {
	for i := range s.shares {
		if s.shares[i].role != "" {
			n++
		}
	}
	return n
}

// sharingRequest is what the two requests have in common.
type sharingRequest interface {
	GetObjects() []*usherv1.Object
	GetShares() []*usherv1.Share
	GetRoles() []string
}

// sharingLimits are how large a sharing may be.
type sharingLimits struct{ shares, pairs int }

// toSharing reads a sharing, with what is wrong with it in itself. One that is too large
// is not looked at any further.
func toSharing(r sharingRequest, limits sharingLimits) (*sharing, *problems) {
	s, p := &sharing{}, &problems{}
	p.addCount("objects", len(r.GetObjects()), maxItems)
	p.addCount("shares", len(r.GetShares()), limits.shares)
	p.addCount("roles", len(r.GetRoles()), maxRoles)
	pairs := len(r.GetObjects()) * len(r.GetShares())
	if pairs > limits.pairs {
		p.add("shares", tooMany("", pairs, limits.pairs))
	} else if n := pairs * len(r.GetRoles()); n > maxShareTuples {
		p.add("roles", tooMany("", n, maxShareTuples))
	}
	if p.err() != nil {
		return s, p
	}
	s.objects = p.toObjects("objects[%d]", r.GetObjects())
	s.roles = p.toRelations("roles[%d]", r.GetRoles())
	recipients := make([]tuples.Subject, len(r.GetShares()))
	for i, message := range r.GetShares() {
		share, err := s.toShare(message)
		s.shares, recipients[i] = append(s.shares, share), share.recipient
		p.add(fmt.Sprintf("shares[%d]", i), err)
	}
	addRepeated(p, "shares[%d].subject", recipients)
	return s, p
}

// toShare reads one share of the sharing.
func (s *sharing) toShare(message *usherv1.Share) (share, error) {
	sh := share{recipient: wire.ToSubject(message.GetSubject()), role: tuples.Relation(message.GetRelation())}
	if err := sh.recipient.Validate(); err != nil {
		return sh, within("subject", err)
	}
	if sh.role == "" {
		return sh, onlyRecipient(message)
	}
	if !slices.Contains(s.roles, sh.role) {
		return sh, tuples.Invalid("relation", string(sh.role), "is not one of the roles",
			"name it in roles too, or send an empty relation for no right")
	}
	var err error
	if sh.grant, err = wire.ToGrant(message); err != nil {
		return sh, err
	}
	return sh, sh.grant.Validate()
}

// onlyRecipient refuses a share that gives nothing and says how.
func onlyRecipient(m *usherv1.Share) error {
	const why, remedy = "is set in a share that gives no right", "set relation to one of the roles, or leave it out"
	switch {
	case m.GetCondition() != nil:
		return tuples.Invalid("condition", m.GetCondition().GetName(), why, remedy)
	case m.GetExpiresAt() != nil:
		return tuples.Invalid("expires_at", m.GetExpiresAt().AsTime().Format(time.RFC3339), why, remedy)
	case len(m.GetAttributes()) > 0:
		return tuples.Invalid("attributes", "", why, remedy)
	}
	return nil
}

// addForbiddenShares notes what a model forbids of a sharing that is right in itself: a
// type of the selection that it lacks, a role that it does not give to such a recipient
// there. A role that one of the types lacks is none to be replaced there; but one that no
// model ever had is a slip of the pen, and would leave in place what it was to replace.
func (p *problems) addForbiddenShares(m *model.Model, symbols *tuples.Symbols, s *sharing) {
	if p.err() != nil {
		return
	}
	for i, role := range s.roles {
		p.add(fmt.Sprintf("roles[%d]", i), knownRelation(symbols, "", role))
	}
	for _, i := range s.firstOfTypes() {
		p.add(fmt.Sprintf("objects[%d]", i), known(m, name{"type", s.objects[i].Type, ""}))
	}
	if p.err() != nil {
		return
	}
	for i := range s.shares {
		if s.shares[i].role != "" {
			p.addForbiddenShare(m, s, i)
		}
	}
}

// addForbiddenShare asks the model once for each type, and of the object that a recipient
// such as folder:press#viewer is built on: it cannot be shared with itself.
func (p *problems) addForbiddenShare(m *model.Model, s *sharing, share int) {
	asked := map[tuples.ObjectType]bool{}
	for i, object := range s.objects {
		if asked[object.Type] && object != s.shares[share].recipient.Object() {
			continue
		}
		asked[object.Type] = true
		if err := permitted(m, s.shares[share].tuple(object)); err != nil {
			f := *failureOf(err)
			for j := range f.violations {
				f.violations[j].Reason += fmt.Sprintf(" (objects[%d] is a %s)", i, object.Type)
			}
			p.add(fmt.Sprintf("shares[%d]", share), &f)
		}
	}
}

// firstOfTypes returns the place of the first object of each type.
func (s *sharing) firstOfTypes() (first []int) {
	seen := map[tuples.ObjectType]bool{}
	for i, object := range s.objects {
		if !seen[object.Type] {
			seen[object.Type] = true
			first = append(first, i)
		}
	}
	return first
}

// addCount notes a list that is empty or too long.
func (p *problems) addCount(field string, n, limit int) {
	switch {
	case n == 0:
		p.add(field, tuples.Invalid("", "", "is empty", fmt.Sprintf("send 1 to %d", limit)))
	case n > limit:
		p.add(field, tooMany("", n, limit))
	}
}

// toObjects reads a list of objects, none twice. place is the format of an item's path.
func (p *problems) toObjects(place string, list []*usherv1.Object) []tuples.Object {
	objects := make([]tuples.Object, len(list))
	for i, m := range list {
		objects[i] = wire.ToObject(m)
		p.add(fmt.Sprintf(place, i), objects[i].Validate())
	}
	addRepeated(p, place, objects)
	return objects
}

// toRelations does the same for a list of relations.
func (p *problems) toRelations(place string, list []string) []tuples.Relation {
	relations := make([]tuples.Relation, len(list))
	for i, text := range list {
		relations[i] = tuples.Relation(text)
		p.addRelation(fmt.Sprintf(place, i), relations[i])
	}
	addRepeated(p, place, relations)
	return relations
}

// addRepeated notes the items of a list that stand in it before already. place is the
// format of an item's path.
func addRepeated[T comparable](p *problems, place string, list []T) {
	first := make(map[T]int, len(list))
	for i, item := range list {
		if j, twice := first[item]; twice {
			p.add(fmt.Sprintf(place, i), tuples.Invalid("", fmt.Sprint(item), "is that of "+fmt.Sprintf(place, j)+" again", "send it once"))
			continue
		}
		first[item] = i
	}
}
