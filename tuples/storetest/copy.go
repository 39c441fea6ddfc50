package storetest

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"sync"

	"github.com/usher-authz/usher/tuples"
)

// Copy is a follower that keeps a plain copy of a store's tuples, as of the last published
// revision. It holds the store to the contract of [tuples.Follower]: the first breach is its
// fault. It is safe for concurrent use.
type Copy struct {
	mu        sync.Mutex
	fault     error
	names     map[tuples.Node]tuples.Object
	live      map[tuples.EdgeKey]tuples.Grant // at published
	published tuples.Revision
	told      []told          // behind published
	toldTo    tuples.Revision // the last revision that was said to be told
	changed   tuples.Revision // the last that changed live
	// loading says that live is not complete yet. What is told meanwhile waits.
	loading bool
}

// told is one call of Apply, or of Publish.
type told struct {
	revision tuples.Revision
	changes  []tuples.EdgeChange
	publish  bool
}

// Follow makes a copy of a store that goes on with the store's commits.
func Follow(ctx context.Context, store tuples.Store) (*Copy, error) {
	c := &Copy{names: map[tuples.Node]tuples.Object{}, live: map[tuples.EdgeKey]tuples.Grant{}, loading: true}
	s, err := store.Follow(ctx, c)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	err = s.EachName(ctx, func(n tuples.Node, o tuples.Object) error { c.Intern(n, o); return nil })
	if err != nil {
		return nil, err
	}
	live, err := scan(ctx, s)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	from := s.Revision()
	if len(c.told) > 0 && c.told[0].revision <= from {
		c.breach("revision %d is told behind %d", c.told[0].revision, from)
	}
	c.live, c.published, c.toldTo, c.loading = live, from, max(c.toldTo, from), false
	c.catchUp()
	return c, c.fault
}

// scan returns all tuples of a snapshot, and an error if they do not ascend.
func scan(ctx context.Context, s tuples.Snapshot) (map[tuples.EdgeKey]tuples.Grant, error) {
	all := map[tuples.EdgeKey]tuples.Grant{}
	var last tuples.EdgeKey
	err := s.EachEdge(ctx, func(k tuples.EdgeKey, g *tuples.Grant) error {
		if compareEdges(last, k) >= 0 {
			return fmt.Errorf("tuple %+v follows %+v", k, last)
		}
		last, all[k] = k, tuples.Grant{}
		if g != nil {
			all[k] = *g
		}
		return nil
	})
	return all, err
}

func compareEdges(a, b tuples.EdgeKey) int {
	return cmp.Or(
		cmp.Compare(a.Object, b.Object), cmp.Compare(a.Relation, b.Relation),
		cmp.Compare(a.Subject.Type(), b.Subject.Type()), cmp.Compare(a.SubjectRelation, b.SubjectRelation),
		cmp.Compare(a.Subject, b.Subject),
	)
}

// Intern implements [tuples.Follower].
func (c *Copy) Intern(node tuples.Node, object tuples.Object) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if had, there := c.names[node]; there && had != object || object.Type == "" || node.IsWildcard() {
		c.breach("node %#x is interned as %s, it was %s", uint64(node), object, had)
	}
	c.names[node] = object
}

// Apply implements [tuples.Follower].
func (c *Copy) Apply(revision tuples.Revision, changes []tuples.EdgeChange) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := len(c.told); n > 0 && c.told[n-1].revision > revision || revision <= c.toldTo || len(changes) == 0 {
		c.breach("revision %d with %d changes is applied behind %d", revision, len(changes), c.toldTo)
	}
	c.told = append(c.told, told{revision: revision, changes: changes})
}

// Publish implements [tuples.Follower].
func (c *Copy) Publish(revision tuples.Revision) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := len(c.told); n > 0 && c.told[n-1].revision > revision || revision <= c.toldTo {
		c.breach("revision %d is published behind %d", revision, c.toldTo)
	}
	c.toldTo = revision
	c.told = append(c.told, told{revision: revision, publish: true})
	if !c.loading {
		c.catchUp()
	}
}

// catchUp takes in what was told up to the last publication. The caller holds mu.
func (c *Copy) catchUp() {
	published := len(c.told)
	for published > 0 && !c.told[published-1].publish {
		published--
	}
	keys := map[tuples.EdgeKey]bool{} // of the revision
	for _, t := range c.told[:published] {
		if t.publish {
			c.published = t.revision
		}
		for _, change := range t.changes {
			if t.revision != c.changed {
				c.changed = t.revision
				clear(keys)
			}
			if keys[change.Key] {
				c.breach("revision %d changes %+v twice", t.revision, change.Key)
			}
			keys[change.Key] = true
			c.change(t.revision, change)
		}
	}
	c.told = c.told[published:]
}

// change takes in a change, which must fit what was there before.
func (c *Copy) change(revision tuples.Revision, change tuples.EdgeChange) {
	key := change.Key
	for _, node := range []tuples.Node{key.Object, key.Subject} {
		if _, named := c.names[node]; !named && !node.IsWildcard() {
			c.breach("revision %d: the name of node %#x was not told", revision, uint64(node))
		}
	}
	_, there := c.live[key]
	if there != (change.Op != tuples.OpCreate) || change.Op == tuples.OpDelete && change.Grant != nil {
		c.breach("revision %d: %s of %+v, which is there: %t, with %v", revision, change.Op, key, there, change.Grant)
	}
	switch {
	case change.Op == tuples.OpDelete:
		delete(c.live, key)
	case change.Grant == nil:
		c.live[key] = tuples.Grant{}
	default:
		if change.Grant.IsZero() {
			c.breach("revision %d: the zero grant of %+v is not nil", revision, key)
		}
		c.live[key] = *change.Grant
	}
}

// breach notes the first breach of the contract. The caller holds mu.
func (c *Copy) breach(format string, args ...any) {
	if c.fault == nil {
		c.fault = fmt.Errorf(format, args...)
	}
}

// Published is the last published revision. The error is the store's first breach of the
// contract.
func (c *Copy) Published() (tuples.Revision, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.published, c.fault
}

// Compare compares the copy with what a snapshot of its revision shows, and returns the
// revision. The error is the first difference, or the first breach of the contract.
func (c *Copy) Compare(ctx context.Context, store tuples.Store) (tuples.Revision, error) {
	c.mu.Lock()
	revision, live, fault := c.published, maps.Clone(c.live), c.fault
	c.mu.Unlock()
	if fault != nil || revision == 0 { // for which no snapshot can ask; nothing was told
		return revision, fault
	}
	s, err := store.Snapshot(ctx, tuples.At{Revision: revision})
	if err != nil {
		return revision, err
	}
	defer s.Close()
	want, err := scan(ctx, s)
	if err != nil {
		return revision, err
	}
	for key, grant := range want {
		if g, there := live[key]; !there || !g.Equal(grant) {
			return revision, fmt.Errorf("at revision %d the copy has %+v: %t with %v, the store %v", revision, key, there, g, grant)
		}
		delete(live, key)
	}
	for key := range live {
		return revision, fmt.Errorf("at revision %d the copy has %+v, the store does not", revision, key)
	}
	return revision, nil
}
