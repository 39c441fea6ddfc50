package server

import (
	"fmt"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/server/wire"
	"github.com/usher-authz/usher/tuples"
)

// toOrigin returns who makes a change. There is no authentication, and so no caller.
func toOrigin(actor *usherv1.Subject, metadata map[string]string) (tuples.Origin, error) {
	var p problems
	p.addOrigin(actor, metadata)
	return newOrigin(actor, metadata), p.err()
}

func newOrigin(actor *usherv1.Subject, metadata map[string]string) tuples.Origin {
	origin := tuples.Origin{Metadata: metadata}
	if actor != nil {
		subject := wire.ToSubject(actor)
		origin.Actor = &subject
	}
	return origin
}

// addOrigin notes what is wrong with actor and metadata of a write.
func (p *problems) addOrigin(actor *usherv1.Subject, metadata map[string]string) {
	if actor != nil {
		p.add("actor", wire.ToSubject(actor).Validate())
	}
	if len(metadata) > maxMetadata {
		p.add("metadata", tuples.Invalid("", fmt.Sprintf("%d entries", len(metadata)), "are too many",
			fmt.Sprintf("send %d at most", maxMetadata)))
	}
	bytes := 0
	for name, value := range metadata {
		bytes += len(name) + len(value)
	}
	if bytes > maxMetadataBytes {
		p.add("metadata", tuples.Invalid("", fmt.Sprintf("%d bytes", bytes), "are too many",
			fmt.Sprintf("send %d at most, and keep the rest elsewhere", maxMetadataBytes)))
	}
}

// addRequestID notes what is wrong with the id of a request.
func (p *problems) addRequestID(id string) {
	if len(id) > maxRequestID {
		p.add("request_id", tuples.Invalid("", id, fmt.Sprintf("is longer than %d bytes", maxRequestID), "send a UUID or ULID"))
	}
}
