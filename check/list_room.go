package check

// listRoom is the memory of the lists of one evaluator: the sets of their walks, and where what
// they reach is named. The next evaluator uses it again; most lists are short and need no
// other.
type listRoom struct {
	used  bool // since the evaluator began
	sets  []*nodeSet
	taken int // of sets; the others are empty
	first first
}

// What is kept of the sets for the next evaluator: so many at most, of 140 KB each.
const (
	setsKept   = 32
	wordsKept  = 3 << 10
	placesKept = 4 << 10
)

// listRoom returns the evaluator's.
func (e *Evaluator) listRoom() *listRoom {
	if e.lists == nil {
		e.lists = &listRoom{}
	}
	e.lists.used = true
	return e.lists
}

// set returns an empty set. It is the caller's as long as the evaluator.
func (r *listRoom) set() *nodeSet {
	if r.taken == len(r.sets) {
		r.sets = append(r.sets, &nodeSet{})
	}
	r.taken++
	return r.sets[r.taken-1]
}

// end empties what was used, and lets go of what is large.
func (r *listRoom) end() {
	if r == nil || !r.used {
		return
	}
	r.first.release()
	for i, set := range r.sets[:min(r.taken, setsKept)] {
		if cap(set.words) > wordsKept || cap(set.places) > placesKept {
			r.sets[i] = &nodeSet{}
			continue
		}
		clear(set.places)
		*set = nodeSet{words: set.words[:0], places: set.places}
	}
	if len(r.sets) > setsKept {
		clear(r.sets[setsKept:])
		r.sets = r.sets[:setsKept]
	}
	r.used, r.taken = false, 0
}
