package bolt

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/usher-authz/usher/tuples"
	bbolt "go.etcd.io/bbolt"
)

// rowsPerStep bounds what the collector does in one job: some milliseconds, between
// which writers get their turn.
const rowsPerStep = 1000

// collectLoop collects now and then until the database is closed.
func (db *DB) collectLoop() {
	tick := time.NewTicker(db.options.CollectEvery)
	defer tick.Stop()
	for {
		select {
		case <-db.closing:
			return
		case <-tick.C:
		}
		if err := db.Collect(context.Background()); err != nil {
			db.complain("cannot collect expired tuples and old history", err)
		}
	}
}

// Collect removes what nobody can ask for any more: expired tuples (as a change with
// cause expired), history and log older than the retention, request ids after 24
// hours, the data of deleted stores. The database does it by itself now and then.
func (db *DB) Collect(ctx context.Context) error {
	db.mu.RLock()
	stores := make([]*store, 0, len(db.byID))
	for _, s := range db.byID {
		stores = append(stores, s)
	}
	db.mu.RUnlock()
	for _, s := range stores {
		if err := s.merged(ctx); err != nil && !errors.Is(err, tuples.ErrStoreNotFound) {
			return fmt.Errorf("collect store %s: %w", s.info.Name, err)
		}
		for _, step := range []func(*draft) (bool, error){(*draft).collectExpired, (*draft).collectHistory, (*draft).collectRequests} {
			err := db.repeat(ctx, func(g *group) (bool, error) {
				d, err := g.draft(s)
				if err != nil {
					return false, err
				}
				return step(d)
			})
			if err != nil && !errors.Is(err, tuples.ErrStoreNotFound) {
				return fmt.Errorf("collect store %s: %w", s.info.Name, err)
			}
		}
	}
	return db.repeat(ctx, (*group).collectDeleted)
}

// repeat submits a step until it says that there is no more to do.
func (db *DB) repeat(ctx context.Context, step func(*group) (more bool, err error)) error {
	for {
		more := false
		err := db.submit(ctx, rowsPerStep, func(g *group) (err error) {
			more, err = step(g)
			return err
		})
		if err != nil || !more {
			return err
		}
	}
}

// collectExpired moves live rows whose time has come to the history. It waits for another
// time while the live rows are not those of the head.
func (d *draft) collectExpired() (more bool, err error) {
	if d.state.merging != 0 {
		return false, nil
	}
	var effects []effect
	c := d.part(partExpiries).Cursor()
	for key, _ := c.First(); key != nil && int64(binary.BigEndian.Uint64(key)) <= d.now; key, _ = c.Next() {
		if len(effects) == rowsPerStep {
			more = true
			break
		}
		row := d.live(forward).Get(key[8:])
		if row == nil {
			return false, fmt.Errorf("expiry %x of no tuple: %w", key, errDamaged)
		}
		_, had, err := splitRow(row)
		if err != nil {
			return false, err
		}
		effects = append(effects, effect{mutation{tuples.OpDelete, edgeKey(key[8:]), had}, row})
	}
	if len(effects) == 0 {
		return false, nil
	}
	sortEffects(effects)
	d.group.write()
	return more, d.log(&change{cause: tuples.CauseExpired}, effects)
}

// collectHistory makes the next revisions unreadable that were superseded before the
// retention: it advances the oldest readable one, and removes the history that ended
// with it and the log before it. The parts of a large change go one by one, after the
// oldest revision has advanced to it; some may be written only then.
func (d *draft) collectHistory() (more bool, err error) {
	if d.store.readers.Load() > 0 {
		return false, nil
	}
	cutoff := d.now - d.group.db.options.Retention.Milliseconds()
	log := d.part(partLog)
	for rows := 0; rows < rowsPerStep; {
		key, value := log.Cursor().Seek(append(number(d.state.oldest), 0)) // behind its own entry
		if key == nil {
			return false, nil
		}
		revision, c, err := decodeLog(key, value)
		if err != nil {
			return false, err
		}
		done := number(d.state.oldest) // what goes from the log
		if len(key) == partLen {
			done = bytes.Clone(key)
		} else if c.time > cutoff {
			return false, nil
		}
		d.group.write()
		if err := d.deleteHistory(c.mutations, revision); err != nil {
			return false, err
		}
		if err := log.Delete(done); err != nil {
			return false, err
		}
		d.state.oldest = revision
		rows += 1 + 2*len(c.mutations)
	}
	return true, nil
}

// deleteHistory removes the versions that mutations ended.
func (d *draft) deleteHistory(mutations []mutation, ended tuples.Revision) error {
	for i := range mutations {
		m := &mutations[i]
		if m.op == tuples.OpCreate {
			continue
		}
		if err := d.history(forward).Delete(historyKey(m.key[:], ended)); err != nil {
			return err
		}
		turned := forward.turn(m.key[:])
		if err := d.history(reverse).Delete(historyKey(turned[:], ended)); err != nil {
			return err
		}
	}
	return nil
}

// collectRequests forgets request ids after their time.
func (d *draft) collectRequests() (more bool, err error) {
	cutoff := d.now - requestLife.Milliseconds()
	times := d.part(partRequestTimes)
	var old [][]byte
	c := times.Cursor()
	for key, _ := c.First(); key != nil && int64(binary.BigEndian.Uint64(key)) <= cutoff; key, _ = c.Next() {
		if len(old) == rowsPerStep {
			more = true
			break
		}
		old = append(old, bytes.Clone(key))
	}
	for _, key := range old {
		d.group.write()
		if err := times.Delete(key); err != nil {
			return false, err
		}
		if err := d.part(partRequests).Delete(key[8:]); err != nil {
			return false, err
		}
	}
	return more, nil
}

// collectDeleted removes rows of a deleted store, and its bucket after the last.
func (g *group) collectDeleted() (more bool, err error) {
	id, _ := g.tx.Bucket(deletedBucket).Cursor().First()
	if id == nil {
		return false, nil
	}
	id = bytes.Clone(id)
	tx := g.write()
	store := tx.Bucket(id)
	for _, name := range partNames {
		part := store.Bucket([]byte(name))
		if part == nil {
			continue
		}
		if full, err := deleteRows(part); err != nil || full {
			return true, err
		}
		if err := store.DeleteBucket([]byte(name)); err != nil {
			return false, err
		}
	}
	if err := tx.DeleteBucket(id); err != nil {
		return false, err
	}
	return true, tx.Bucket(deletedBucket).Delete(id)
}

// deleteRows removes the first rows of a bucket, and reports whether that was a step's worth.
func deleteRows(b *bbolt.Bucket) (full bool, err error) {
	keys := make([][]byte, 0, rowsPerStep)
	c := b.Cursor()
	for key, _ := c.First(); key != nil && len(keys) < rowsPerStep; key, _ = c.Next() {
		keys = append(keys, bytes.Clone(key))
	}
	for _, key := range keys {
		if err := b.Delete(key); err != nil {
			return false, err
		}
	}
	return len(keys) == rowsPerStep, nil
}
