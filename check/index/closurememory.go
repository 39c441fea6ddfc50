package index

import (
	"math"
	"slices"
	"sync"
	"sync/atomic"
)

// closureMemory is what the closures of all stores and models share. Where they take too much,
// those that take most give up some, so that a model that is new finds room.
type closureMemory struct {
	limit int64
	bytes atomic.Int64

	built, dropped atomic.Int64 // closures, ever

	sharing sync.Mutex // guards all; comes before remembering of any of them
	all     []*Closures
}

func (m *closureMemory) join(c *Closures) {
	m.sharing.Lock()
	defer m.sharing.Unlock()
	m.all = append(m.all, c)
	m.bytes.Add(c.Bytes())
}

// leave takes closures out, and lets go of what they remember.
func (m *closureMemory) leave(c *Closures) {
	m.sharing.Lock()
	defer m.sharing.Unlock()
	before := len(m.all)
	m.all = slices.DeleteFunc(m.all, func(other *Closures) bool { return other == c })
	if len(m.all) == before {
		return // closed before
	}
	c.remembering.Lock()
	c.closed = true
	c.remembering.Unlock()
	c.drop(math.MaxInt64 / 2)
	m.bytes.Add(-c.Bytes())
}

// fit has the largest give up a sixteenth, again and again, until the rest is within the
// limit.
func (m *closureMemory) fit() {
	for m.bytes.Load() > m.limit {
		largest := m.largest()
		if largest == nil {
			return // the rest is for being there
		}
		largest.drop(max(largest.bytes.Load()/16, 1))
	}
}

// largest returns the closures that remember most, nil if none remember anything.
func (m *closureMemory) largest() (largest *Closures) {
	m.sharing.Lock()
	defer m.sharing.Unlock()
	most := int64(0)
	for _, c := range m.all {
		if bytes := c.bytes.Load(); bytes > most {
			largest, most = c, bytes
		}
	}
	return largest
}
