package server

import (
	"testing"

	"github.com/usher-authz/usher/check"
)

// What pages have left behind is kept within its memory, and what was used last stays.
func TestStretchesStayWithinTheirMemory(t *testing.T) {
	size := (&check.Stretch{}).Bytes()
	key := func(i int) stretchKey { return stretchKey{stamp: stamp{revision: 1, time: int64(i)}} }
	s := newStretches(10 * size)
	for i := range 10 {
		s.put(key(i), &check.Stretch{})
	}
	s.get(key(0))
	s.put(key(10), &check.Stretch{})
	for i := range 11 {
		if kept := s.get(key(i)) != nil; kept != (i != 1) {
			t.Errorf("stretch %d: kept is %v; the one used longest ago goes", i, kept)
		}
	}
	if s.bytes != 10*size {
		t.Errorf("%d bytes are counted, want %d", s.bytes, 10*size)
	}
}

func TestStretchesReplaceTheirPredecessors(t *testing.T) {
	s := newStretches(1 << 20)
	key, later := stretchKey{model: "m"}, &check.Stretch{}
	s.put(key, &check.Stretch{})
	s.put(key, later)
	s.put(key, later)
	if s.get(key) != later || s.bytes != later.Bytes() || s.order.Len() != 1 {
		t.Errorf("%d stretches of %d bytes are kept, want the later one", s.order.Len(), s.bytes)
	}
}

func TestAStretchThatIsTooLargeIsNotKept(t *testing.T) {
	s := newStretches(largestShare*(&check.Stretch{}).Bytes() - 1)
	s.put(stretchKey{}, &check.Stretch{})
	if s.get(stretchKey{}) != nil || s.bytes != 0 {
		t.Error("it is kept")
	}
}
