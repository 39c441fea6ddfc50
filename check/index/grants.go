package index

import (
	"hash/maphash"

	"github.com/usher-authz/usher/tuples"
)

// givenGrants lets tuples share equal grants: a share of a thousand media until Friday is one expiry.
// It knows the latest only, so that it neither grows nor has to be told what is gone. Its seed
// is its own, as that of every hash of what callers choose.
type givenGrants struct {
	seed   maphash.Seed
	latest map[uint64]*tuples.Grant
}

// latestGrants is how many grants are known at most, before all are forgotten.
const latestGrants = 1 << 10

// shared returns a grant that is equal to the given one.
func (g *givenGrants) shared(grant *tuples.Grant) *tuples.Grant {
	if grant == nil {
		return nil
	}
	if g.latest == nil {
		g.seed, g.latest = maphash.MakeSeed(), make(map[uint64]*tuples.Grant)
	}
	hash := g.hash(grant)
	if known := g.latest[hash]; known != nil && known.Equal(*grant) {
		return known
	}
	if len(g.latest) >= latestGrants {
		clear(g.latest)
	}
	g.latest[hash] = grant
	return grant
}

// hash is the same for equal grants.
func (g *givenGrants) hash(grant *tuples.Grant) uint64 {
	hash := maphash.Comparable(g.seed, grant.Expires.UnixMilli())
	if c := grant.Condition; c != nil {
		hash ^= maphash.String(g.seed, c.Name)
		for name, value := range c.Context { // in any order
			hash += maphash.String(g.seed, name)
			if text, ok := value.(string); ok {
				hash += maphash.String(g.seed, text)
			}
		}
	}
	for name := range grant.Attributes {
		hash += maphash.String(g.seed, name)
	}
	return hash
}
