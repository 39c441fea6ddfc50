package bolt

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/usher-authz/usher/tuples"
)

// requestLife is how long a request id is remembered.
const requestLife = 24 * time.Hour

// A remembered request is
//
//	body hash(32) remembered ms(8) revision(8) time ms(8) created, updated, deleted, same (uvarint each) more(1)
//	[ skipped(uvarint) count(uvarint) { type text, objects(uvarint) } ]
//
// The second line is left out where there is nothing to say.
type request struct {
	body       [32]byte
	remembered int64
	outcome    tuples.Committed
}

// requestKey hides the lengths of caller and id, which are the client's choice.
func requestKey(caller, id string) []byte {
	sum := sha256.Sum256(appendText(appendText(nil, caller), id))
	return sum[:]
}

func (r *request) encode() []byte {
	b := append(r.body[:], number(r.remembered)...)
	b = append(b, number(r.outcome.Revision)...)
	b = append(b, number(r.outcome.Time.UnixMilli())...)
	for _, n := range []int{r.outcome.Created, r.outcome.Updated, r.outcome.Deleted, r.outcome.Same} {
		b = binary.AppendUvarint(b, uint64(n))
	}
	if r.outcome.More {
		b = append(b, 1)
	} else {
		b = append(b, 0)
	}
	if r.outcome.Skipped == 0 && len(r.outcome.Objects) == 0 {
		return b
	}
	b = binary.AppendUvarint(b, uint64(r.outcome.Skipped))
	b = binary.AppendUvarint(b, uint64(len(r.outcome.Objects)))
	for _, kind := range slices.Sorted(maps.Keys(r.outcome.Objects)) {
		b = binary.AppendUvarint(appendText(b, string(kind)), uint64(r.outcome.Objects[kind]))
	}
	return b
}

func decodeRequest(value []byte) (r request, err error) {
	in := input{rest: value}
	copy(r.body[:], in.bytes(len(r.body)))
	r.remembered = int64(in.uint64())
	r.outcome.Revision = tuples.Revision(in.uint64())
	r.outcome.Time = millis(int64(in.uint64()))
	for _, n := range []*int{&r.outcome.Created, &r.outcome.Updated, &r.outcome.Deleted, &r.outcome.Same} {
		*n = int(in.uvarint())
	}
	r.outcome.More = in.byte() == 1
	if len(in.rest) > 0 {
		r.outcome.Skipped = int(in.uvarint())
		for range in.count() {
			if r.outcome.Objects == nil {
				r.outcome.Objects = map[tuples.ObjectType]int{}
			}
			kind := tuples.ObjectType(in.text())
			r.outcome.Objects[kind] = int(in.uvarint())
		}
	}
	if in.failed || len(in.rest) > 0 {
		return r, fmt.Errorf("request %x: %w", value, errDamaged)
	}
	return r, nil
}

// replay returns the first outcome of a request that was made before.
func (d *draft) replay(c *tuples.Commit) (outcome tuples.Committed, known bool, err error) {
	if c.RequestID == "" {
		return outcome, false, nil
	}
	value := d.part(partRequests).Get(requestKey(c.Origin.Caller, c.RequestID))
	if value == nil {
		return outcome, false, nil
	}
	r, err := decodeRequest(value)
	if err != nil || d.now-r.remembered >= requestLife.Milliseconds() {
		return outcome, false, err
	}
	if r.body != c.BodyHash {
		return outcome, false, fmt.Errorf("%w: %q; choose a new id for a new request", tuples.ErrRequestIDReused, tuples.Shorten(c.RequestID))
	}
	r.outcome.Replayed = true
	return r.outcome, true, nil
}

// remember keeps the outcome of a request. An older one of that id has outlived
// requestLife, or replay would have found it.
func (d *draft) remember(c *tuples.Commit, outcome tuples.Committed) error {
	if c.RequestID == "" {
		return nil
	}
	d.group.write()
	key := requestKey(c.Origin.Caller, c.RequestID)
	requests, times := d.part(partRequests), d.part(partRequestTimes)
	if old := requests.Get(key); old != nil {
		r, err := decodeRequest(old)
		if err != nil {
			return err
		}
		if err := times.Delete(append(number(r.remembered), key...)); err != nil {
			return err
		}
	}
	r := request{body: c.BodyHash, remembered: d.now, outcome: outcome}
	if err := requests.Put(key, r.encode()); err != nil {
		return err
	}
	return times.Put(append(number(d.now), key...), nil)
}
