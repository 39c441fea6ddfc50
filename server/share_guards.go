package server

import (
	"fmt"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/server/wire"
	"github.com/usher-authz/usher/tuples"
)

// shareGuards are the Checks that a sharing is guarded by: of the actor for each object,
// of each recipient that is given a right once, or for each object (A2, B3, E4). Who gets
// nothing is not asked about: a share is withdrawn from those, too, who could not have it
// any more.
func (p *problems) shareGuards(r *usherv1.SetSharesRequest, s *sharing) []guard {
	if len(r.GetGuards()) > maxShareGuards {
		p.add("guards", tooMany("", len(r.GetGuards()), maxShareGuards))
		return nil
	}
	if n := checksOf(r.GetGuards(), s); n > maxGuardChecks {
		p.add("guards", refuse(usherv1.ErrorReason_ERROR_REASON_TOO_MANY_ITEMS, "", fmt.Sprintf("%d checks", n),
			fmt.Sprintf("are more than %d", maxGuardChecks), "share fewer objects, or with fewer recipients, in one request"))
		return nil
	}
	e := &guardExpansion{sharing: s, problems: p}
	for i, message := range r.GetGuards() {
		at := fmt.Sprintf("guards[%d]", i)
		switch kind := message.GetGuard().(type) {
		case *usherv1.ShareGuard_ActorHas:
			e.actorHas(at+".actor_has", tuples.Relation(kind.ActorHas), r.GetActor())
		case *usherv1.ShareGuard_RecipientIn:
			e.recipientIn(at+".recipient_in", kind.RecipientIn)
		case *usherv1.ShareGuard_RecipientHas:
			e.recipientHas(at+".recipient_has", tuples.Relation(kind.RecipientHas))
		default:
			p.add(at, tuples.Invalid("", "", "has no guard", "set actor_has, recipient_in or recipient_has"))
		}
	}
	return e.checks
}

// checksOf is how many Checks guards come to.
func checksOf(list []*usherv1.ShareGuard, s *sharing) (n int) {
	for _, message := range list {
		switch message.GetGuard().(type) {
		case *usherv1.ShareGuard_ActorHas:
			n += len(s.objects)
		case *usherv1.ShareGuard_RecipientIn:
			n += s.given()
		case *usherv1.ShareGuard_RecipientHas:
			n += s.given() * len(s.objects)
		}
	}
	return n
}

// guardExpansion makes Checks of guards.
type guardExpansion struct {
	*sharing
	*problems
	checks []guard
}

func (e *guardExpansion) actorHas(at string, r tuples.Relation, actor *usherv1.Subject) {
	e.addRelation(at, r)
	if actor == nil {
		e.add("actor", tuples.Invalid("", "", "is not set, and "+at+" asks about it", "send on whose behalf the objects are shared"))
		return
	}
	subject := wire.ToSubject(actor)
	for i, object := range e.objects {
		parts := guardParts{object: fmt.Sprintf("objects[%d]", i), relation: at, subject: "actor"}
		e.ask(at, parts, tuples.Userset{Object: object, Relation: r}, subject)
	}
}

func (e *guardExpansion) recipientIn(at string, u *usherv1.Userset) {
	on, err := toUserset(u.GetObject(), u.GetRelation())
	e.add(at, err)
	for i := range e.shares {
		if e.shares[i].role != "" {
			parts := guardParts{object: at + ".object", relation: at + ".relation", subject: fmt.Sprintf("shares[%d].subject", i)}
			e.ask(at, parts, on, e.shares[i].recipient)
		}
	}
}

// recipientHas asks about one recipient after the other: what is found out about one
// helps with its next object.
func (e *guardExpansion) recipientHas(at string, r tuples.Relation) {
	e.addRelation(at, r)
	for i := range e.shares {
		if e.shares[i].role == "" {
			continue
		}
		subject := fmt.Sprintf("shares[%d].subject", i)
		for j, object := range e.objects {
			parts := guardParts{object: fmt.Sprintf("objects[%d]", j), relation: at, subject: subject}
			e.ask(at, parts, tuples.Userset{Object: object, Relation: r}, e.shares[i].recipient)
		}
	}
}

func (e *guardExpansion) ask(at string, parts guardParts, on tuples.Userset, subject tuples.Subject) {
	e.checks = append(e.checks, guard{field: at, parts: parts, question: question{on: on, subject: subject}})
}
