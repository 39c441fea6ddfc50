package index

import (
	"cmp"
	"fmt"

	"github.com/usher-authz/usher/tuples"
)

// Loader fills an index from the state of a store at one revision. It serves one goroutine.
// Beside the index it needs 8 bytes a tuple until it is finished.
type Loader struct {
	index    *Index
	revision tuples.Revision

	last     tuples.EdgeKey // added
	kind     kind           // of it
	ordinals []uint32       // of its list, so far
	grants   []*tuples.Grant
	granted  bool
	given    givenGrants
	reverse  []reverseLists // by kind

	logs    [partitions]log
	singles [2][]singles // forward and reverse, by kind
}

// log is the lists of a partition that is being loaded: a table is made for them when all are
// known, at once and in the right size.
type log struct {
	// settled are the short bare ones: the halves of the key, the length, the ordinals.
	settled []uint32
	listed  []*version
}

// Load begins to fill an empty index with the state of a revision. The index must be fed
// already with every commit behind that revision; [Index.Warm] sees to that. A loader that is
// never finished leaves the index as it was: it knows nothing.
func (x *Index) Load(revision tuples.Revision) *Loader {
	return &Loader{index: x, revision: revision}
}

// Name adds an object of the store, in any order.
func (l *Loader) Name(node tuples.Node, object tuples.Object) { l.index.Intern(node, object) }

// Add adds a tuple; grant is nil for the zero Grant. Tuples come in the order of object,
// relation, subject type, subject relation, subject, each once: an error names the first
// that does not.
func (l *Loader) Add(key tuples.EdgeKey, grant *tuples.Grant) error {
	if !sameList(key, l.last) || key.Subject <= l.last.Subject {
		if compareKeys(key, l.last) <= 0 {
			return fmt.Errorf("load index: tuple %+v comes behind %+v; add tuples in the order of their keys", key, l.last)
		}
		l.flush()
		l.kind = l.index.kinds.intern(packKindOf(key))
	}
	l.last, grant = key, l.given.shared(grant)
	l.ordinals = append(l.ordinals, key.Subject.Ordinal())
	l.grants = append(l.grants, grant)
	l.granted = l.granted || grant != nil
	l.turn(key, grant)
	return nil
}

func sameList(a, b tuples.EdgeKey) bool {
	return a.Object == b.Object && a.Relation == b.Relation &&
		a.SubjectRelation == b.SubjectRelation && a.Subject.Type() == b.Subject.Type()
}

func compareKeys(a, b tuples.EdgeKey) int {
	return cmp.Or(
		cmp.Compare(a.Object, b.Object), cmp.Compare(a.Relation, b.Relation),
		cmp.Compare(a.Subject.Type(), b.Subject.Type()), cmp.Compare(a.SubjectRelation, b.SubjectRelation),
		cmp.Compare(a.Subject, b.Subject),
	)
}

// turn keeps a tuple for the list of its subject.
func (l *Loader) turn(key tuples.EdgeKey, grant *tuples.Grant) {
	for int(l.kind) >= len(l.reverse) {
		l.reverse = append(l.reverse, reverseLists{})
	}
	list := reverseKey(l.kind, key.Subject)
	if l.index.covers(list) {
		l.reverse[l.kind].add(key.Subject.Ordinal(), key.Object.Ordinal(), grant)
	} else {
		l.mark(list)
	}
}

// flush puts the list of the last tuple.
func (l *Loader) flush() {
	if len(l.ordinals) == 0 {
		return
	}
	grants := l.grants
	if !l.granted {
		grants = nil
	}
	l.put(forwardKey(l.kind, l.last.Object), l.ordinals, grants)
	clear(l.grants)
	l.ordinals, l.grants, l.granted = l.ordinals[:0], l.grants[:0], false
}

// put notes a list, if its partition is held.
func (l *Loader) put(key listKey, ordinals []uint32, grants []*tuples.Grant) {
	l.mark(key)
	number := l.index.kinds.hash(key) >> (64 - partitionBits)
	p := &l.index.parts[number]
	if p.table.Load() == nil {
		return
	}
	log := &l.logs[number]
	if grants == nil && len(ordinals) == 1 {
		l.single(key)
	}
	if grants == nil && len(ordinals) <= maxPacked {
		before := cap(log.settled)
		log.settled = append(log.settled, uint32(key>>32), uint32(key), uint32(len(ordinals)))
		log.settled = append(log.settled, ordinals...)
		if cap(log.settled) != before {
			l.took(p, 4*(cap(log.settled)-before))
		}
		return
	}
	v := &version{key: key, members: newMembers(ordinals, grants)}
	log.listed = append(log.listed, v)
	l.took(p, v.size())
}

// single counts a list that can be in a column.
func (l *Loader) single(key listKey) {
	direction := &l.singles[uint32(key)>>31]
	for int(key.kind()) >= len(*direction) {
		*direction = append(*direction, singles{})
	}
	(*direction)[key.kind()].add(key.ordinal())
}

// mark notes in the masks that there is a list.
func (l *Loader) mark(key listKey) {
	e := l.index.kinds.of(key)
	l.index.masked.Add(e.masks.build(key.ordinal(), e.bit, l.index.maskRoom()))
}

// took counts memory, and drops partitions that do not fit.
func (l *Loader) took(p *partition, bytes int) {
	x := l.index
	p.bytes += bytes
	x.lists.Add(int64(bytes))
	if x.over() {
		covered := x.covered.Load()
		x.fit()
		clear(l.logs[x.covered.Load():covered])
	}
}

func (x *Index) covers(key listKey) bool {
	return x.part(x.kinds.hash(key)).table.Load() != nil
}

// Finish makes the index readable, from the loaded revision on. What has been fed since is
// applied first: it is an error if there was no room to keep that.
func (l *Loader) Finish() error {
	l.flush()
	for k := range l.reverse {
		l.reverse[k].each(func(subject uint32, objects []uint32, grants []*tuples.Grant) {
			key := listKey(k)<<32 | reverseBit | listKey(subject)
			l.put(key, objects, grants)
		})
		l.reverse[k] = reverseLists{}
	}
	l.index.names.fit()
	l.makeColumns()
	for i := range l.logs {
		if p := &l.index.parts[i]; p.table.Load() != nil {
			before := p.bytes
			p.build(&l.logs[i])
			l.index.lists.Add(int64(p.bytes - before))
		}
		l.logs[i] = log{}
	}
	return l.index.open(l.revision)
}

// makeColumns gives the columns room.
func (l *Loader) makeColumns() {
	x := l.index
	x.kinds.eachColumn(func(key listKey, c *column) {
		if direction := l.singles[uint32(key)>>31]; int(key.kind()) < len(direction) {
			took := direction[key.kind()].make(c)
			x.columns += took
			x.lists.Add(took)
		}
	})
}

// build makes the table of a partition from its log, but for what goes into columns. It has little room for more: behind a
// load much is read and little changes.
func (p *partition) build(l *log) {
	keys, words, lists := len(l.listed), 0, len(l.listed)
	l.each(func(key listKey, ordinals []uint32) {
		if p.kinds.of(key).column.build(key.ordinal(), ordinals) {
			return
		}
		keys++
		if len(ordinals) > 1 {
			words += len(ordinals)
		}
	})
	if p.bytes = 0; keys == 0 {
		return
	}
	t := newTable(keys+keys/16, words+words/16, lists+keys/16)
	p.bytes = t.size()
	l.each(func(key listKey, ordinals []uint32) {
		if p.kinds.of(key).column.get(key.ordinal()) != 0 {
			return
		}
		f, _ := t.pack(ordinals) // there is room
		t.slots.build(p.kinds.hash(key), uint64(key), uint64(f))
	})
	for _, v := range l.listed {
		t.slots.build(p.kinds.hash(v.key), uint64(v.key), uint64(t.list(v)))
		p.bytes += v.size()
	}
	p.table.Store(t)
}

// each visits the settled lists.
func (l *log) each(visit func(key listKey, ordinals []uint32)) {
	for rest := l.settled; len(rest) > 0; {
		n := rest[2]
		visit(listKey(rest[0])<<32|listKey(rest[1]), rest[3:3+n])
		rest = rest[3+n:]
	}
}
