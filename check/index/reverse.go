package index

import "github.com/usher-authz/usher/tuples"

// reverseLists turns the tuples of one kind around: they come by object, and are wanted by
// subject. Within one kind they come with ascending objects, so that sorting them by subject,
// in a way that keeps the order of equals, sorts the lists too.
type reverseLists struct {
	pairs  []uint64                 // subject in the upper half, object in the lower
	grants map[uint64]*tuples.Grant // by pair
}

func (r *reverseLists) add(subject, object uint32, grant *tuples.Grant) {
	pair := uint64(subject)<<32 | uint64(object)
	r.pairs = append(r.pairs, pair)
	if grant != nil {
		if r.grants == nil {
			r.grants = make(map[uint64]*tuples.Grant)
		}
		r.grants[pair] = grant
	}
}

// each visits the lists by ascending subject. What it passes on is valid until visit returns;
// grants are nil where all are the zero Grant.
func (r *reverseLists) each(visit func(subject uint32, objects []uint32, grants []*tuples.Grant)) {
	pairs := sortBySubject(r.pairs)
	var objects []uint32
	var grants []*tuples.Grant
	for len(pairs) > 0 {
		subject := uint32(pairs[0] >> 32)
		objects, grants = objects[:0], grants[:0]
		granted := false
		for len(pairs) > 0 && uint32(pairs[0]>>32) == subject {
			objects = append(objects, uint32(pairs[0]))
			if r.grants != nil {
				grant := r.grants[pairs[0]]
				grants = append(grants, grant)
				granted = granted || grant != nil
			}
			pairs = pairs[1:]
		}
		if granted {
			visit(subject, objects, grants)
		} else {
			visit(subject, objects, nil)
		}
	}
}

const digitBits = 11

// sortBySubject sorts pairs by their upper half and keeps the order of equals: digit by digit
// from the lowest, two digits for four million subjects. It uses the slice up.
func sortBySubject(pairs []uint64) []uint64 {
	var highest uint64
	for _, pair := range pairs {
		highest = max(highest, pair)
	}
	sorted := make([]uint64, len(pairs))
	for shift := 32; highest>>shift > 0; shift += digitBits {
		var starts [1 << digitBits]int
		for _, pair := range pairs {
			starts[pair>>shift&(1<<digitBits-1)]++
		}
		sum := 0
		for i, n := range starts {
			starts[i], sum = sum, sum+n
		}
		for _, pair := range pairs {
			digit := pair >> shift & (1<<digitBits - 1)
			sorted[starts[digit]] = pair
			starts[digit]++
		}
		pairs, sorted = sorted, pairs
	}
	return pairs
}
