package bolt

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/usher-authz/usher/tuples"
)

// errDisagree begins every error of Verify that is about what the file holds.
var errDisagree = errors.New("the store contradicts itself (restore a backup made before)")

func disagree(format string, args ...any) error {
	return fmt.Errorf("%w: %s", errDisagree, fmt.Sprintf(format, args...))
}

// rowsPerSlice is how many keys Verify looks at in one read transaction.
const rowsPerSlice = 1000

// verifier proves one store at one revision. It walks each bucket in slices, each in a
// read transaction of its own, while writers go on; what belongs together is compared
// within one transaction, and counts are of versions up to the revision.
type verifier struct {
	store      *store
	at, oldest tuples.Revision
	collecting bool // the collector has begun to remove what ended with the oldest revision
	counts     tuples.Verified
	forward    tally
	reverse    tally
	log        tally
}

// tally counts versions of tuples that began and ended between oldest and at. The
// log must show as many: as each of its mutations is found among the versions,
// equal counts prove that each version is in the log.
type tally struct {
	began, ended int
}

// Verify implements [tuples.Store]. History is not collected while it runs. What is
// staged is merged before.
func (s *store) Verify(ctx context.Context) (tuples.Verified, error) {
	s.readers.Add(1)
	defer s.readers.Add(-1)
	// Behind this job in the queue no collection is under way any more. A store that
	// takes no writes does not collect either.
	err := s.db.submit(ctx, 1, func(*group) error { return nil })
	if err != nil && !errors.Is(err, tuples.ErrReadOnly) {
		return tuples.Verified{}, err
	}
	at, err := s.mergedHead(ctx)
	if err != nil {
		return tuples.Verified{}, err
	}
	x := &verifier{store: s, at: at}
	for _, part := range []func(*view, []byte) ([]byte, error){
		x.start, x.symbols, x.nodes, x.ids, x.tuples(forward), x.tuples(reverse), x.staged(forward), x.staged(reverse),
		x.expiries, x.changes, x.models, x.modelIDs, x.requests, x.requestTimes, x.finish,
	} {
		if err := x.slices(ctx, part); err != nil {
			return x.counts, fmt.Errorf("verify store %s: %w", s.info.Name, err)
		}
	}
	return x.counts, nil
}

// mergedHead returns a head up to which nothing is left to merge.
func (s *store) mergedHead(ctx context.Context) (tuples.Revision, error) {
	for {
		if err := s.merged(ctx); err != nil {
			return 0, err
		}
		s.mu.Lock()
		head, merging := s.Head(), s.merging.Load()
		s.mu.Unlock()
		if merging == 0 {
			return head, nil
		}
	}
}

// slices runs part in one transaction after the other, each from the key that the one
// before returned, until that is nil.
func (x *verifier) slices(ctx context.Context, part func(*view, []byte) ([]byte, error)) error {
	slice := &snapshot{store: x.store, revision: x.at}
	defer slice.Close()
	for from := []byte{}; from != nil; {
		slice.mu.Lock()
		v, err := slice.open(ctx)
		if err == nil {
			from, err = part(v, from)
			from = bytes.Clone(from)
		}
		slice.mu.Unlock()
		if err != nil {
			return err
		}
	}
	return nil
}

// each visits the rows of one bucket for a slice.
func each(v *view, p part, from []byte, visit func(key, value []byte) error) (next []byte, err error) {
	c := v.part(p).Cursor()
	key, value := c.Seek(from)
	for range rowsPerSlice {
		if key == nil {
			return nil, nil
		}
		if err := visit(key, value); err != nil {
			return nil, err
		}
		key, value = c.Next()
	}
	return key, nil
}

func (x *verifier) start(v *view, _ []byte) ([]byte, error) {
	x.oldest = v.state.oldest
	if x.oldest > x.at {
		return nil, disagree("the oldest readable revision %d is after the head %d", x.oldest, x.at)
	}
	key, _ := v.part(partLog).Cursor().Seek(append(number(x.oldest), 0))
	x.collecting = bytes.HasPrefix(key, number(x.oldest))
	return nil, nil
}

func (x *verifier) symbols(v *view, from []byte) ([]byte, error) {
	return each(v, partSymbols, from, func(key, name []byte) error {
		symbol := decodeSymbol(key)
		if int(symbol) > x.store.symbols.Len() {
			return nil // of a group that is being written
		}
		if have := x.store.symbols.Name(symbol); have != string(name) || x.store.symbols.Lookup(have) != symbol {
			return disagree("symbol %d is %q in the file and %q in memory", symbol, name, have)
		}
		return nil
	})
}

func (x *verifier) nodes(v *view, from []byte) ([]byte, error) {
	return each(v, partNodes, from, func(key, id []byte) error {
		node := decodeNode(key)
		if node.Ordinal() == 0 || node.Ordinal() >= tuples.FirstTransient {
			return disagree("object %q has ordinal %d", id, node.Ordinal())
		}
		ordinal := v.part(partIDs).Get(idKey(node.Type(), tuples.ID(id)))
		if !bytes.Equal(ordinal, key[2:]) {
			return disagree("object %q of type %d has ordinal %x by node and %x by id", id, node.Type(), key[2:], ordinal)
		}
		x.counts.Objects++
		return nil
	})
}

func (x *verifier) ids(v *view, from []byte) ([]byte, error) {
	return each(v, partIDs, from, func(key, ordinal []byte) error {
		id := v.part(partNodes).Get(append(bytes.Clone(key[:2]), ordinal...))
		if !bytes.Equal(id, key[2:]) {
			return disagree("object %q of type %d is %q by its ordinal %x", key[2:], decodeSymbol(key), id, ordinal)
		}
		return nil
	})
}

func (x *verifier) expiries(v *view, from []byte) ([]byte, error) {
	return each(v, partExpiries, from, func(key, _ []byte) error {
		row := v.live(forward).Get(key[8:])
		if row != nil {
			if _, g, err := splitRow(row); err != nil || bytes.Equal(number(g.expires()), key[:8]) {
				return err
			}
		}
		return disagree("the expiry index says that tuple %x expires at %x, its row is %x", key[8:], key[:8], row)
	})
}

// staged proves that what is staged in one order is staged in the other one.
func (x *verifier) staged(o order) func(*view, []byte) ([]byte, error) {
	return func(v *view, from []byte) ([]byte, error) {
		return each(v, partStagedForward+part(o), from, func(key, value []byte) error {
			other := o.turn(key)
			twin := v.staged(1 - o).Get(other[:])
			if !sameStaged(value, twin) {
				return disagree("tuple %x of order %d is staged as %x, in the other order as %x", key, o, value, twin)
			}
			return nil
		})
	}
}

// sameStaged compares two staged rows of one tuple: operation and flags.
func sameStaged(a, b []byte) bool {
	stagedA, errA := decodeStaged(a)
	stagedB, errB := decodeStaged(b)
	return errA == nil && errB == nil && bytes.Equal(encodeStaged(reverse, &stagedA), encodeStaged(reverse, &stagedB))
}

func (x *verifier) models(v *view, from []byte) ([]byte, error) {
	return each(v, partModels, from, func(key, value []byte) error {
		m, err := decodeModel(key, value)
		if err != nil {
			return err
		}
		if have := v.part(partModelIDs).Get([]byte(m.id)); !bytes.Equal(have, key) {
			return disagree("model %s is of revision %d and by its id of %x", m.id, m.revision, have)
		}
		if m.revision <= x.at {
			x.counts.Models++
		}
		if m.revision <= x.oldest {
			return nil // its entry in the log may be collected
		}
		c, err := decodeChange(v.part(partLog).Get(key))
		if err != nil || c.model != m.id {
			return disagree("model %s is not in the log at revision %d", m.id, m.revision)
		}
		return nil
	})
}

func (x *verifier) modelIDs(v *view, from []byte) ([]byte, error) {
	return each(v, partModelIDs, from, func(id, revision []byte) error {
		m, err := decodeModel(revision, v.part(partModels).Get(revision))
		if err != nil || string(m.id) != string(id) {
			return disagree("model %s is said to be at revision %x, where there is %q", id, revision, m.id)
		}
		return nil
	})
}

func (x *verifier) requests(v *view, from []byte) ([]byte, error) {
	return each(v, partRequests, from, func(key, value []byte) error {
		r, err := decodeRequest(value)
		if err != nil {
			return err
		}
		if v.part(partRequestTimes).Get(append(number(r.remembered), key...)) == nil {
			return disagree("request %x is not listed at its time %d", key, r.remembered)
		}
		return nil
	})
}

func (x *verifier) requestTimes(v *view, from []byte) ([]byte, error) {
	return each(v, partRequestTimes, from, func(key, _ []byte) error {
		r, err := decodeRequest(v.part(partRequests).Get(key[8:]))
		if err != nil || !bytes.Equal(number(r.remembered), key[:8]) {
			return disagree("request %x is listed at time %x and remembered at %d", key[8:], key[:8], r.remembered)
		}
		return nil
	})
}

func (x *verifier) finish(v *view, _ []byte) ([]byte, error) {
	if x.forward != x.reverse {
		return nil, disagree("by object %+v versions since revision %d, by subject %+v", x.forward, x.oldest, x.reverse)
	}
	if x.forward != x.log {
		return nil, disagree("%+v versions since revision %d, in the log %+v", x.forward, x.oldest, x.log)
	}
	if x.at == 0 {
		return nil, nil
	}
	value := v.part(partLog).Get(number(x.at))
	if value == nil {
		return nil, disagree("the head, revision %d, is not in the log", x.at)
	}
	if v.exact() && changeTime(value) != v.state.time {
		return nil, disagree("the head's time is %d, in the log %d", v.state.time, changeTime(value))
	}
	return nil, nil
}
