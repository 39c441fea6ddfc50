package bolt

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"

	"github.com/oklog/ulid/v2"
	"github.com/usher-authz/usher/tuples"
)

// maxNameBytes bounds a store's name, which is a key of the file.
const maxNameBytes = 256

// CreateStore implements [tuples.Database].
func (db *DB) CreateStore(ctx context.Context, name string) (tuples.StoreInfo, error) {
	if err := validateStoreName(name); err != nil {
		return tuples.StoreInfo{}, err
	}
	var epoch [8]byte
	rand.Read(epoch[:]) // never fails
	info := tuples.StoreInfo{
		ID:    tuples.StoreID(ulid.Make().String()),
		Name:  name,
		Epoch: binary.BigEndian.Uint64(epoch[:]),
	}
	err := db.submit(ctx, 1, func(g *group) error {
		info.Created = millis(g.now)
		return g.createStore(info)
	})
	if err != nil {
		return tuples.StoreInfo{}, err
	}
	return info, nil
}

func validateStoreName(name string) error {
	if name == "" || len(name) > maxNameBytes {
		return tuples.Invalid("name", name, fmt.Sprintf("is not of 1 to %d bytes", maxNameBytes), "choose a short name")
	}
	if _, err := ulid.ParseStrict(name); err == nil {
		return tuples.Invalid("name", name, "has the form of a store id", "choose a name that people can tell from an id")
	}
	return nil
}

func (g *group) createStore(info tuples.StoreInfo) error {
	if g.tx.Bucket(storeNamesBucket).Get([]byte(info.Name)) != nil {
		return fmt.Errorf("%w: %q; choose another name or delete that store", tuples.ErrStoreExists, info.Name)
	}
	tx, id := g.write(), []byte(info.ID)
	if err := tx.Bucket(storeNamesBucket).Put([]byte(info.Name), id); err != nil {
		return err
	}
	if err := tx.Bucket(storesBucket).Put(id, encodeStoreInfo(info)); err != nil {
		return err
	}
	bucket, err := tx.CreateBucket(id)
	if err != nil {
		return err
	}
	for _, name := range partNames {
		if _, err := bucket.CreateBucket([]byte(name)); err != nil {
			return err
		}
	}
	if err := bucket.Put(stateKey, state{time: info.Created.UnixMilli()}.encode()); err != nil {
		return err
	}
	g.durable = append(g.durable, func() {
		g.db.mu.Lock()
		defer g.db.mu.Unlock()
		s := g.db.newStore(info)
		g.db.byID[info.ID], g.db.byName[info.Name] = s, s
	})
	return nil
}

// Stores implements [tuples.Database].
func (db *DB) Stores(ctx context.Context, after tuples.StoreID, limit int) ([]tuples.StoreInfo, error) {
	if err := db.ready(ctx); err != nil {
		return nil, err
	}
	db.mu.RLock()
	defer db.mu.RUnlock()
	var page []tuples.StoreInfo
	for id, s := range db.byID {
		if id > after {
			page = append(page, s.info)
		}
	}
	slices.SortFunc(page, func(a, b tuples.StoreInfo) int { return bytes.Compare([]byte(a.ID), []byte(b.ID)) })
	return page[:min(limit, len(page))], nil
}

// Store implements [tuples.Database].
func (db *DB) Store(ctx context.Context, nameOrID string) (tuples.Store, error) {
	if err := db.ready(ctx); err != nil {
		return nil, err
	}
	db.mu.RLock()
	defer db.mu.RUnlock()
	if s := db.byID[tuples.StoreID(nameOrID)]; s != nil {
		return s, nil
	}
	if s := db.byName[nameOrID]; s != nil {
		return s, nil
	}
	return nil, fmt.Errorf("%w: %q; list the stores, or create it", tuples.ErrStoreNotFound, tuples.Shorten(nameOrID))
}

// ready reports why the database cannot be asked.
func (db *DB) ready(ctx context.Context) error {
	select {
	case <-db.closing:
		return tuples.ErrClosed
	default:
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

// DeleteStore implements [tuples.Database]. The store is gone at once; its data is
// removed in steps by the collector.
func (db *DB) DeleteStore(ctx context.Context, id tuples.StoreID) error {
	return db.submit(ctx, 1, func(g *group) error {
		value := g.tx.Bucket(storesBucket).Get([]byte(id))
		if value == nil {
			return fmt.Errorf("%w: %q", tuples.ErrStoreNotFound, tuples.Shorten(string(id)))
		}
		info, err := decodeStoreInfo([]byte(id), value)
		if err != nil {
			return err
		}
		tx := g.write()
		if err := tx.Bucket(storesBucket).Delete([]byte(id)); err != nil {
			return err
		}
		if err := tx.Bucket(storeNamesBucket).Delete([]byte(info.Name)); err != nil {
			return err
		}
		g.drop(info.ID)
		g.durable = append(g.durable, func() { g.db.forget(info) })
		return tx.Bucket(deletedBucket).Put([]byte(id), nil)
	})
}

// drop ends the draft of a store that is deleted: later jobs of the group do not find it.
func (g *group) drop(id tuples.StoreID) {
	maps.DeleteFunc(g.drafts, func(s *store, _ *draft) bool { return s.info.ID == id })
}

// forget drops a deleted store from memory.
func (db *DB) forget(info tuples.StoreInfo) {
	db.mu.Lock()
	defer db.mu.Unlock()
	db.byID[info.ID].remove()
	delete(db.byID, info.ID)
	if s := db.byName[info.Name]; s != nil && s.info.ID == info.ID {
		delete(db.byName, info.Name)
	}
}
