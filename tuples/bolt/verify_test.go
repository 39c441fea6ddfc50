package bolt

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/usher-authz/usher/tuples"
	bbolt "go.etcd.io/bbolt"
)

// fillForVerify leaves a store with something in every bucket: live tuples with and
// without grant, history, log, models and a request.
func fillForVerify(t testing.TB, s *store) {
	t.Helper()
	expires := anna + " expires 2999-01-01T00:00:00Z"
	mustCommit(t, s, tuples.Commit{NewModel: &tuples.NewModel{ID: "m1", Source: []byte("model"), Symbols: []string{"media", "viewer"}}})
	c := commitOf(t, tuples.OpCreate, expires, bert, carl)
	c.RequestID = "r1"
	mustCommit(t, s, c)
	mustCommit(t, s, commitOf(t, tuples.OpTouch, bert+" with office_hours"))
	mustCommit(t, s, commitOf(t, tuples.OpDelete, carl))
}

// first returns the first row of a bucket.
func first(b *bbolt.Bucket) (key, value []byte) { return b.Cursor().First() }

// last returns the last row of a bucket.
func last(b *bbolt.Bucket) (key, value []byte) { return b.Cursor().Last() }

func TestVerifyNamesWhatDisagrees(t *testing.T) {
	type bucket = func(part) *bbolt.Bucket
	remove := func(p part, which func(*bbolt.Bucket) (key, value []byte)) func(bucket) error {
		return func(b bucket) error { key, _ := which(b(p)); return b(p).Delete(key) }
	}
	rewrite := func(p part, which func(*bbolt.Bucket) (key, value []byte), change func([]byte) []byte) func(bucket) error {
		return func(b bucket) error {
			key, value := which(b(p))
			return b(p).Put(key, change(append([]byte{}, value...)))
		}
	}
	put := func(p part, key, value []byte) func(bucket) error {
		return func(b bucket) error { return b(p).Put(key, value) }
	}
	younger := func(row []byte) []byte { row[0]++; return row }
	newest := func(row []byte) []byte { row[0] = 100; return row }
	empty := func([]byte) []byte { return nil }
	for name, c := range map[string]struct {
		damage func(bucket) error
		says   string
	}{
		"a live tuple is gone":            {remove(partForward, first), "in the other order"},
		"a live tuple is gone by subject": {remove(partReverse, first), "in the other order"},
		"a live tuple by subject alone":   {put(partReverse, append(make([]byte, 15), 1), []byte{2, 0}), "in the other order"},
		"a row of another revision":       {rewrite(partReverse, last, younger), "in the other order"},
		"a row from the future":           {rewrite(partForward, first, newest), "in a store at 4"},
		"a row that is empty":             {rewrite(partForward, first, empty), "row : the database file is damaged"},
		"a row whose grant is cut short":  {rewrite(partForward, first, func(row []byte) []byte { return row[:5] }), "damaged"},
		"a key that is too short":         {put(partForward, []byte{0}, []byte{1, 0}), "too short"},
		"a name that is none":             {remove(partNodes, first), "by its ordinal"},
		"a name of another object":        {rewrite(partNodes, first, func([]byte) []byte { return []byte("x") }), "by node"},
		"an id of another object":         {rewrite(partIDs, first, func([]byte) []byte { return []byte{0, 0, 0, 9} }), "by node"},
		"an ordinal that is reserved":     {put(partNodes, nodeKey(tuples.NewNode(1, tuples.FirstTransient)), []byte("x")), "has ordinal 2147483648"},
		"a symbol of another name":        {rewrite(partSymbols, first, func([]byte) []byte { return []byte("viewer") }), "symbol 1"},
		"history is gone":                 {remove(partForwardHistory, first), "in the other order"},
		"history by subject is gone":      {remove(partReverseHistory, first), "in the other order"},
		"history with a key cut short": {func(b bucket) error {
			k, v := first(b(partForwardHistory))
			return b(partForwardHistory).Put(k[:20], v)
		}, "has 20 bytes"},
		"history that never was":           {rewrite(partForwardHistory, first, newest), "was live from 100"},
		"an expiry of no tuple":            {put(partExpiries, make([]byte, 24), nil), "expiry index says"},
		"a tuple without its expiry":       {remove(partExpiries, first), "not in the expiry index"},
		"the log's last entry is gone":     {remove(partLog, last), "in the log"},
		"an entry of the log is gone":      {func(b bucket) error { return b(partLog).Delete(number(tuples.Revision(2))) }, "in the log"},
		"an entry of the log is cut short": {rewrite(partLog, last, func(v []byte) []byte { return v[:9] }), "change of 9 bytes"},
		"the log goes back in time": {rewrite(partLog, last, func(v []byte) []byte {
			copy(v, number(int64(1)))
			return v
		}), "the log has revision 4 of time 1"},
		"the log grants another thing": {relog(3, func(c *change) { c.mutations[0].grant = bare }), "the log of revision 3 grants"},
		"the log ends another thing":   {relog(4, func(c *change) { c.mutations[0].key[15]++ }), "the log of revision 4 ends"},
		"the log is not in order": {relog(2, func(c *change) {
			c.mutations[0], c.mutations[1] = c.mutations[1], c.mutations[0]
		}), "not in order"},
		"the log misses a tuple":        {relog(2, func(c *change) { c.mutations = c.mutations[:1] }), "in the log"},
		"the log names a model of none": {relog(2, func(c *change) { c.model = "m9" }), "m9 took effect"},
		"the log misses a model":        {relog(1, func(c *change) { c.model = "" }), "model m1 is not in the log"},
		"the head's time differs": {func(b bucket) error {
			return b(partLog).Put(number(tuples.Revision(4)), shift(b(partLog).Get(number(tuples.Revision(4)))))
		}, "the head's time is"},
		"a model is cut short":              {rewrite(partModels, first, func(v []byte) []byte { return v[:3] }), "damaged"},
		"a model is gone by id":             {remove(partModelIDs, first), "by its id"},
		"an id of no model":                 {put(partModelIDs, []byte("m9"), number(tuples.Revision(9))), "model m9 is said"},
		"a request is not listed by time":   {remove(partRequestTimes, first), "is not listed"},
		"a time of no request":              {remove(partRequests, first), "is listed at time"},
		"a request is cut short":            {rewrite(partRequests, first, func(v []byte) []byte { return v[:9] }), "request"},
		"a tuple is staged by object alone": {put(partStagedForward, make([]byte, 16), []byte{3}), "is staged as 03, in the other order as"},
		"a tuple is staged otherwise by subject": {func(b bucket) error {
			return errors.Join(b(partStagedForward).Put(make([]byte, 16), []byte{2, 1}), b(partStagedReverse).Put(make([]byte, 16), []byte{2, 0}))
		}, "is staged as 0201, in the other order as 0200"},
		"a part of the log has another grant": {func(b bucket) error {
			c, err := decodeChange(b(partLog).Get(number(tuples.Revision(4))))
			if err != nil {
				return err
			}
			c.mutations[0].grant = grant{hasExpiry, 0, 0, 0, 0, 0, 0, 0, 1}
			return b(partLog).Put(partKey(4, 0), appendMutations(nil, c.mutations))
		}, "the log of revision 4 ends"},
		"a part of the log is cut short": {put(partLog, partKey(4, 0), []byte{1, 3}), "part of a change, of 2 bytes"},
		"a version that the log does not know": {func(b bucket) error {
			k, v := first(b(partForwardHistory))
			r, w := first(b(partReverseHistory))
			key, turned := append([]byte{}, k...), append([]byte{}, r...)
			copy(key[edgeLen:], number(tuples.Revision(1)))
			copy(turned[edgeLen:], number(tuples.Revision(1)))
			return errors.Join(b(partForwardHistory).Put(key, append([]byte{0}, v[1:]...)), b(partReverseHistory).Put(turned, append([]byte{0}, w[1:]...)))
		}, "versions since revision"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "usher.db")
			db, s := openTest(t, path, Options{NoSync: true})
			fillForVerify(t, s)
			mustVerify(t, s)
			// Damage the open file, so that what opening reads is not what is found first.
			if err := db.bolt.Update(func(tx *bbolt.Tx) error {
				store := tx.Bucket([]byte(s.info.ID))
				return c.damage(func(p part) *bbolt.Bucket { return store.Bucket([]byte(partNames[p])) })
			}); err != nil {
				t.Fatal(err)
			}
			counts, err := s.Verify(t.Context())
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %+v, %v, want an error that says %q", counts, err, c.says)
			}
			if err != nil && !errors.Is(err, errDisagree) && !errors.Is(err, errDamaged) {
				t.Errorf("%v is no finding", err)
			}
		})
	}
}

// relog rewrites an entry of the log.
func relog(revision tuples.Revision, change func(*change)) func(func(part) *bbolt.Bucket) error {
	return func(b func(part) *bbolt.Bucket) error {
		log := b(partLog)
		c, err := decodeChange(log.Get(number(revision)))
		if err != nil {
			return err
		}
		change(c)
		return log.Put(number(revision), c.encode())
	}
}

// shift moves a log entry's time on by a millisecond.
func shift(value []byte) []byte {
	return append(number(changeTime(value)+1), value[8:]...)
}

func TestVerifyCounts(t *testing.T) {
	_, s := newTest(t)
	fillForVerify(t, s)
	want := tuples.Verified{Live: 2, History: 2, Changes: 4, Objects: 4, Models: 1}
	if got := mustVerify(t, s); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestVerifyRunsInSlices(t *testing.T) {
	_, s := newTest(t)
	many(t, s, 2*rowsPerSlice+5)
	for i := range 3 {
		mustCommit(t, s, commitOf(t, tuples.OpTouch, fmt.Sprintf(`%s attributes {"n":%d}`, anna, i)))
	}
	mustCommit(t, s, tuples.Commit{Delete: &tuples.DeleteMatching{Filter: tuples.Filter{SubjectType: "user"}, Limit: rowsPerSlice, Partial: true}})
	got := mustVerify(t, s)
	if got.Live != rowsPerSlice+6 || got.History != rowsPerSlice+2 {
		t.Errorf("got %+v, want %d live and %d in the history", got, rowsPerSlice+6, rowsPerSlice+2)
	}
}

func TestVerifyWhileWritersGoOn(t *testing.T) {
	var wall sync.Mutex
	now := time.Date(2026, 3, 14, 9, 0, 0, 0, time.UTC)
	db, s := openTest(t, filepath.Join(t.TempDir(), "usher.db"), Options{NoSync: true, Retention: time.Minute, Clock: func() time.Time {
		wall.Lock()
		defer wall.Unlock()
		return now
	}})
	many(t, s, 3000)
	stop := make(chan struct{})
	var writing sync.WaitGroup
	for w := range 2 {
		writing.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				user := fmt.Sprintf("media:logo#viewer@user:u%04d", (i*7+w)%3000)
				mustCommit(t, s, commitOf(t, tuples.OpDelete, user))
				mustCommit(t, s, commitOf(t, tuples.OpTouch, user+" with office_hours", fmt.Sprintf("folder:f%d-%d#owner@user:anna", w, i)))
			}
		})
	}
	writing.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			wall.Lock()
			now = now.Add(10 * time.Second)
			wall.Unlock()
			if err := db.Collect(t.Context()); err != nil {
				t.Error(err)
				return
			}
		}
	})
	for range 20 {
		mustVerify(t, s)
	}
	close(stop)
	writing.Wait()
	mustVerify(t, s)
}
