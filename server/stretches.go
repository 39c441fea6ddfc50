package server

import (
	"container/list"
	"sync"

	"github.com/usher-authz/usher/check"
	"github.com/usher-authz/usher/tuples"
)

// stretches keeps what the pages of lists have left behind, for the pages behind them: of all
// stores together, the least recently used go first. It is a cache and nothing else. A
// cursor works without it, after a restart and on another server: the walk is made anew.
type stretches struct {
	mu    sync.Mutex
	limit int // of memory, in bytes
	bytes int
	order *list.List // of *keptStretch, the last used in front
	kept  map[stretchKey]*list.Element
}

// stretchKey is what a cursor holds a list to.
type stretchKey struct {
	stamp
	model tuples.ModelID
	query queryHash
}

type keptStretch struct {
	key     stretchKey
	stretch *check.Stretch
	bytes   int
}

// largestShare is the part of the memory that one stretch may take at most.
const largestShare = 4

func newStretches(limit int) *stretches {
	return &stretches{limit: limit, order: list.New(), kept: make(map[stretchKey]*list.Element)}
}

// get returns what is kept of a list, nil for nothing.
func (s *stretches) get(key stretchKey) *check.Stretch {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.kept[key]
	if e == nil {
		return nil
	}
	s.order.MoveToFront(e)
	return e.Value.(*keptStretch).stretch
}

// put keeps a stretch in place of an earlier one of the list.
func (s *stretches) put(key stretchKey, stretch *check.Stretch) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.kept[key]; e != nil {
		if e.Value.(*keptStretch).stretch == stretch {
			return
		}
		s.drop(e)
	}
	k := &keptStretch{key: key, stretch: stretch, bytes: stretch.Bytes()}
	if k.bytes > s.limit/largestShare {
		return
	}
	s.kept[key] = s.order.PushFront(k)
	for s.bytes += k.bytes; s.bytes > s.limit; {
		s.drop(s.order.Back())
	}
}

func (s *stretches) drop(e *list.Element) {
	k := s.order.Remove(e).(*keptStretch)
	delete(s.kept, k.key)
	s.bytes -= k.bytes
}
