package check

import (
	"math/bits"

	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/tuples"
)

type atomKey struct {
	node tuples.Node
	step uint32
}

// atom is one question and what is known of its answer.
type atom struct {
	node  tuples.Node
	step  *model.Step
	value value
	// low is the earliest visited atom that this one's component reaches.
	low int32
	// proof numbers the atoms that came to yes, each after those it rests on; 0 for
	// others. It keeps explanations from going in circles.
	proof int32
	rest  *rule // nil unless pending
}

// rule is the rule of a pending atom: what its decided part came to, and the others.
type rule struct {
	decided value
	waiting []branch
}

// branch is one undecided part of a rule: guard and child, or guard and not child.
type branch struct {
	child   int32
	guard   value
	negated bool
}

// atoms are the atoms of a solver in the order of their visit, with a hash table.
type atoms struct {
	list []atom
	// places hold the number of an atom plus one, 0 if they are free. Their number is a
	// power of two, and more than twice that of the atoms.
	places []int32
}

// usualAtoms is room for what a Check usually visits: 3 to 12 atoms in
// BenchmarkCheckLibrary.
const usualAtoms = 32

// keptAtoms is how many atoms a solver keeps room for from one subject to the next: 60 KB.
const keptAtoms = 1 << 10

// find returns the number of an atom, and whether it has been visited.
func (a *atoms) find(node tuples.Node, step *model.Step) (int32, bool) {
	mask := len(a.places) - 1
	for place := a.home(node, step.ID); ; place++ {
		i := a.places[place&mask] - 1
		if i < 0 {
			return 0, false
		}
		if found := &a.list[i]; found.node == node && found.step == step {
			return i, true
		}
	}
}

// home returns the place at which the search for an atom begins.
func (a *atoms) home(node tuples.Node, step uint32) int {
	high, low := bits.Mul64(uint64(node)^uint64(step)<<48, 0x9e37_79b9_7f4a_7c15)
	return int((high ^ low) & uint64(len(a.places)-1))
}

// add adds an atom that has not been visited and returns its number.
func (a *atoms) add(node tuples.Node, step *model.Step) int32 {
	if 2*(len(a.list)+1) >= len(a.places) {
		a.grow()
	}
	i := int32(len(a.list))
	a.list = append(a.list, atom{node: node, step: step, low: i})
	a.put(i)
	return i
}

func (a *atoms) put(i int32) {
	mask := len(a.places) - 1
	place := a.home(a.list[i].node, a.list[i].step.ID) & mask
	for a.places[place] != 0 {
		place = (place + 1) & mask
	}
	a.places[place] = i + 1
}

func (a *atoms) grow() {
	a.places = make([]int32, 2*len(a.places))
	for i := range a.list {
		a.put(int32(i))
	}
}

// clear forgets all atoms, and lets go of room that is rarely needed.
func (a *atoms) clear() {
	if len(a.list) == 0 && a.places != nil {
		return
	}
	if cap(a.list) == 0 || cap(a.list) > keptAtoms {
		*a = atoms{list: make([]atom, 0, usualAtoms), places: make([]int32, 4*usualAtoms)}
		return
	}
	clear(a.list) // what they point to may go
	a.list = a.list[:0]
	clear(a.places)
}
