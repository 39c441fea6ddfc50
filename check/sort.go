package check

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strings"

	"github.com/usher-authz/usher/tuples"
)

// sortByID sorts candidates bytewise by id, and may return another slice. Comparing ids is
// what it avoids: it sorts by 8 bytes of each, as numbers, behind what all ids begin with,
// and compares those that have them in common.
func sortByID(candidates []candidate) []candidate {
	if len(candidates) == 0 {
		return candidates
	}
	skip := len(sharedPrefix(candidates))
	keys := make([]sortKey, len(candidates))
	for i := range candidates {
		keys[i] = sortKey{prefix(candidates[i].id[skip:]), uint32(i)}
	}
	keys = sortKeys(keys)
	sorted := make([]candidate, len(candidates), cap(candidates))
	for i, k := range keys {
		sorted[i] = candidates[k.place]
	}
	for i := 0; i < len(keys); {
		end := i + 1
		for end < len(keys) && keys[end].prefix == keys[i].prefix {
			end++
		}
		if end > i+1 {
			slices.SortFunc(sorted[i:end], compareIDs)
		}
		i = end
	}
	return sorted
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

// sortKey is the prefix of a candidate, and its place.
type sortKey struct {
	prefix uint64
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

// sortKeys sorts by prefix: many digit by digit, from the lowest. It uses the slice up.
func sortKeys(keys []sortKey) []sortKey {
	if len(keys) < fewKeys {
		slices.SortFunc(keys, func(a, b sortKey) int { return cmp.Compare(a.prefix, b.prefix) })
		return keys
	}
	all, any := ^uint64(0), uint64(0)
	for _, k := range keys {
		all, any = all&k.prefix, any|k.prefix
	}
	sorted := make([]sortKey, len(keys))
	for shift := 0; shift < 64; shift += digitBits {
		const mask = 1<<digitBits - 1
		if (all^any)>>shift&mask == 0 {
			continue // the same in all
		}
		var starts [1 << digitBits]uint32
		for _, k := range keys {
			starts[k.prefix>>shift&mask]++
		}
		sum := uint32(0)
		for i, n := range starts {
			starts[i], sum = sum, sum+n
		}
		for _, k := range keys {
			digit := k.prefix >> shift & mask
			sorted[starts[digit]] = k
			starts[digit]++
		}
		keys, sorted = sorted, keys
	}
	return keys
}
