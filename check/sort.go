package check

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strings"

	"github.com/usher-authz/usher/tuples"
)

// sorter sorts, with room for its keys that is used again.
type sorter struct{ keys, spare []sortKey }

// byID puts candidates into another slice, as long, in the bytewise order of their ids.
// Comparing ids is what it avoids: it sorts by 8 bytes of each, as numbers, behind what all
// ids begin with, and compares those that have them in common.
func (s *sorter) byID(sorted, candidates []candidate) {
	if len(candidates) == 0 {
		return
	}
	skip := len(sharedPrefix(candidates))
	keys := s.begin(len(candidates))
	for i := range candidates {
		keys[i] = sortKey{prefix(candidates[i].id[skip:]), uint32(i)}
	}
	keys = s.sort()
	for i, k := range keys {
		sorted[i] = candidates[k.place]
	}
	for i := 0; i < len(keys); {
		end := i + 1
		for end < len(keys) && keys[end].number == keys[i].number {
			end++
		}
		if end > i+1 {
			slices.SortFunc(sorted[i:end], compareIDs)
		}
		i = end
	}
}

// begin returns room for so many keys.
func (s *sorter) begin(n int) []sortKey {
	if cap(s.keys) < n {
		s.keys = make([]sortKey, n)
	}
	s.keys = s.keys[:n]
	return s.keys
}

// end keeps room for so many keys at most.
func (s *sorter) end(most int) {
	if cap(s.keys) > most {
		s.keys = nil
	}
	if cap(s.spare) > most {
		s.spare = nil
	}
}

func compareIDs(a, b candidate) int { return strings.Compare(string(a.id), string(b.id)) }

// sharedPrefix returns what all ids begin with.
func sharedPrefix(candidates []candidate) tuples.ID {
	shared := candidates[0].id
	for i := range candidates {
		id := candidates[i].id
		n := 0
		for n < len(shared) && n < len(id) && shared[n] == id[n] {
			n++
		}
		shared = shared[:n]
	}
	return shared
}

// sortKey is a number to sort by, as the prefix of a candidate, and the place of what it is of.
type sortKey struct {
	number uint64
	place  uint32
}

// prefix returns the first 8 bytes of a text as a number; zeros, which no id has, stand for
// those that are missing.
func prefix(text tuples.ID) uint64 {
	if len(text) >= 8 {
		return binary.BigEndian.Uint64([]byte(text[:8]))
	}
	var b [8]byte
	copy(b[:], text)
	return binary.BigEndian.Uint64(b[:])
}

const (
	digitBits = 11
	// fewKeys are sorted by comparing them: below it that is quicker (BenchmarkListObjects).
	fewKeys = 1_000
)

// sort sorts the keys by their numbers: many digit by digit, from the lowest.
func (s *sorter) sort() []sortKey {
	if len(s.keys) < fewKeys {
		slices.SortFunc(s.keys, func(a, b sortKey) int { return cmp.Compare(a.number, b.number) })
		return s.keys
	}
	if cap(s.spare) < len(s.keys) {
		s.spare = make([]sortKey, len(s.keys))
	}
	all, any := ^uint64(0), uint64(0)
	for _, k := range s.keys {
		all, any = all&k.number, any|k.number
	}
	for shift := 0; shift < 64; shift += digitBits {
		const mask = 1<<digitBits - 1
		if (all^any)>>shift&mask == 0 {
			continue // the same in all
		}
		sorted := s.spare[:len(s.keys)]
		var starts [1 << digitBits]uint32
		for _, k := range s.keys {
			starts[k.number>>shift&mask]++
		}
		sum := uint32(0)
		for i, n := range starts {
			starts[i], sum = sum, sum+n
		}
		for _, k := range s.keys {
			digit := k.number >> shift & mask
			sorted[starts[digit]] = k
			starts[digit]++
		}
		s.keys, s.spare = sorted, s.keys
	}
	return s.keys
}
