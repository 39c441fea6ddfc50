package bolt

import (
	"bytes"

	"github.com/usher-authz/usher/tuples"
)

// tuples proves the rows of one order: each has its counterpart in the other one, and
// the versions of a key follow each other.
func (x *verifier) tuples(o order) func(*view, []byte) ([]byte, error) {
	return func(v *view, from []byte) ([]byte, error) {
		live, history := v.live(o).Cursor(), v.history(o).Cursor()
		lk, lv := live.Seek(from)
		hk, hv := history.Seek(from)
		for range rowsPerSlice {
			key := lk
			if lk == nil || hk != nil && bytes.Compare(hk[:min(edgeLen, len(hk))], lk) < 0 {
				key = hk
			}
			if key == nil {
				return nil, nil
			}
			if len(key) < edgeLen {
				return nil, disagree("key %x is too short", key)
			}
			key = key[:edgeLen]
			if err := x.checkKey(v, o, key); err != nil {
				return nil, err
			}
			last := tuples.Revision(0)
			for ; bytes.HasPrefix(hk, key); hk, hv = history.Next() {
				if err := x.checkEnded(v, o, hk, hv, last); err != nil {
					return nil, err
				}
				last = deletedAt(hk)
			}
			if bytes.Equal(lk, key) {
				if err := x.checkLive(v, o, lk, lv, last); err != nil {
					return nil, err
				}
				lk, lv = live.Next()
			}
		}
		if lk == nil || hk != nil && bytes.Compare(hk[:edgeLen], lk) < 0 {
			return hk, nil
		}
		return lk, nil
	}
}

// checkKey resolves the names of a key.
func (x *verifier) checkKey(v *view, o order, key []byte) error {
	edge := o.edge(key)
	newest := max(edge.Object.Type(), edge.Relation, edge.Subject.Type(), edge.SubjectRelation)
	if o == reverse || int(newest) > x.store.symbols.Len() {
		return nil // the forward key is checked; or a name is not published yet
	}
	if _, err := v.key(edge); err != nil {
		return disagree("tuple %x: %v", key, err)
	}
	return nil
}

// checkLive proves a live row, whose key's last version in the history ended at last.
func (x *verifier) checkLive(v *view, o order, key, row []byte, last tuples.Revision) error {
	created, g, err := splitRow(row)
	if err != nil {
		return err
	}
	if created < last || created > v.state.head {
		return disagree("tuple %x was created at %d, after one that ended at %d, in a store at %d", key, created, last, v.state.head)
	}
	other := o.turn(key)
	if !sameVersion(row, v.live(1-o).Get(other[:])) {
		return disagree("live tuple %x of order %d has row %x, in the other order %x", key, o, row, v.live(1-o).Get(other[:]))
	}
	if o == forward {
		if _, err := g.decode(); err != nil {
			return err
		}
		if expires := g.expires(); expires != 0 && v.part(partExpiries).Get(expiryKey(expires, key)) == nil {
			return disagree("live tuple %x is not in the expiry index at %d", key, expires)
		}
	}
	x.count(o, created, 0)
	return nil
}

// checkEnded proves a row of the history.
func (x *verifier) checkEnded(v *view, o order, key, row []byte, last tuples.Revision) error {
	if len(key) != historyLen {
		return disagree("history key %x has %d bytes", key, len(key))
	}
	created, g, err := splitRow(row)
	if err != nil {
		return err
	}
	ended := deletedAt(key)
	if x.collecting && ended == x.oldest {
		return nil // nobody can read it any more
	}
	if created < last || created >= ended || ended <= x.oldest || ended > v.state.head {
		return disagree("version %x was live from %d to %d, after one that ended at %d, in a store from %d to %d",
			key, created, ended, last, x.oldest, v.state.head)
	}
	other := o.turn(key[:edgeLen])
	if twin := v.history(1 - o).Get(historyKey(other[:], ended)); !sameVersion(row, twin) {
		return disagree("version %x of order %d has row %x, in the other order %x", key, o, row, twin)
	}
	if _, err := g.decode(); o == forward && err != nil {
		return err
	}
	x.count(o, created, ended)
	return nil
}

// sameVersion compares two rows of one version: creation and flags.
func sameVersion(a, b []byte) bool {
	createdA, grantA, errA := splitRow(a)
	createdB, grantB, errB := splitRow(b)
	return errA == nil && errB == nil && createdA == createdB && grantA[0] == grantB[0]
}

// count counts a version that ended at a revision, 0 if it is live.
func (x *verifier) count(o order, created, ended tuples.Revision) {
	if created > x.at {
		return
	}
	t := &x.forward
	if o == reverse {
		t = &x.reverse
	}
	over := ended != 0 && ended <= x.at
	if created > x.oldest {
		t.began++
	}
	if over {
		t.ended++
	}
	switch {
	case o == reverse:
	case over:
		x.counts.History++
	default:
		x.counts.Live++
	}
}

// changes proves that what the log says of each tuple is what its versions show.
func (x *verifier) changes(v *view, from []byte) ([]byte, error) {
	log := v.part(partLog).Cursor()
	key, value := log.Seek(from)
	before := int64(0)
	for rows := 0; key != nil; {
		revision, c, err := decodeLog(key, value)
		if err != nil {
			return nil, err
		}
		if revision > x.at {
			return nil, nil
		}
		if len(key) == partLen {
			c.time = before
		} else {
			x.counts.Changes++
		}
		if revision < x.oldest || c.time < before {
			return nil, disagree("the log has revision %d of time %d, after time %d, in a store from revision %d", revision, c.time, before, x.oldest)
		}
		if revision > x.oldest {
			if err := x.checkChange(v, revision, c); err != nil {
				return nil, err
			}
		}
		next, following := log.Next()
		if rows += 1 + len(c.mutations); rows > rowsPerSlice {
			// The next slice begins with the following entry and compares its time anew.
			if len(next) == revisionLen && changeTime(following) < c.time {
				return nil, disagree("the log goes back in time after revision %d", revision)
			}
			return next, nil
		}
		before = c.time
		key, value = next, following
	}
	return nil, nil
}

func (x *verifier) checkChange(v *view, revision tuples.Revision, c *change) error {
	if c.model != "" && v.part(partModels).Get(number(revision)) == nil {
		return disagree("the log says that model %s took effect at revision %d", c.model, revision)
	}
	for i := range c.mutations {
		m := &c.mutations[i]
		if i > 0 && bytes.Compare(c.mutations[i-1].key[:], m.key[:]) >= 0 {
			return disagree("the log of revision %d is not in order", revision)
		}
		if m.op != tuples.OpDelete {
			if g := v.begun(m.key[:], revision); !bytes.Equal(g, m.grant) {
				return disagree("the log of revision %d grants %x to tuple %x, its version %x", revision, []byte(m.grant), m.key, []byte(g))
			}
			x.log.began++
		}
		if m.op != tuples.OpCreate {
			_, g, err := splitRow(v.history(forward).Get(historyKey(m.key[:], revision)))
			if err != nil || m.op == tuples.OpDelete && !bytes.Equal(g, m.grant) {
				return disagree("the log of revision %d ends tuple %x with grant %x, the history has %x", revision, m.key, []byte(m.grant), []byte(g))
			}
			x.log.ended++
		}
	}
	return nil
}

// begun returns the grant of the version of a key that began at revision, nil if
// there is none.
func (v *view) begun(key []byte, revision tuples.Revision) grant {
	row := v.live(forward).Get(key)
	if created, g, err := splitRow(row); err == nil && created == revision {
		return g
	}
	k, row := v.history(forward).Cursor().Seek(historyKey(key, revision+1))
	if created, g, err := splitRow(row); err == nil && bytes.HasPrefix(k, key) && created == revision {
		return g
	}
	return nil
}
