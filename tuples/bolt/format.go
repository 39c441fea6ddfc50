package bolt

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"

	"github.com/usher-authz/usher/tuples"
	bbolt "go.etcd.io/bbolt"
)

// format is the version of the layout in keys.go. A change of the layout counts it up
// and brings the code that migrates from the version before, see migrate.go.
const format = 3

var (
	metaBucket       = []byte("meta")
	storesBucket     = []byte("stores")
	storeNamesBucket = []byte("store-names")
	deletedBucket    = []byte("deleted")

	formatKey   = []byte("format")
	tokenKeyKey = []byte("token-key")
	clockKey    = []byte("clock")
)

// load reads the file's meta data and stores; it makes them in an empty file.
func (db *DB) load(path string) error {
	err := db.bolt.Update(func(tx *bbolt.Tx) error {
		meta := tx.Bucket(metaBucket)
		if meta == nil {
			if name, _ := tx.Cursor().First(); name != nil {
				return fmt.Errorf("not an Usher database: it is a bbolt file of something else, with bucket %q; choose another file", name)
			}
			return initialise(tx)
		}
		return migrate(tx, meta)
	})
	if err == nil {
		err = db.bolt.View(db.loadStores)
	}
	if err == nil {
		// From the start readings may be up to one lease ahead of the last mark.
		next := db.clock.last.Load() + clockLease.Milliseconds()
		err = db.bolt.Update(func(tx *bbolt.Tx) error { return putClock(tx, next) })
	}
	if err != nil {
		return fmt.Errorf("open database %s: %w", path, err)
	}
	return nil
}

func initialise(tx *bbolt.Tx) error {
	for _, name := range [][]byte{metaBucket, storesBucket, storeNamesBucket, deletedBucket} {
		if _, err := tx.CreateBucket(name); err != nil {
			return err
		}
	}
	var key [32]byte
	rand.Read(key[:]) // never fails
	meta := tx.Bucket(metaBucket)
	if err := meta.Put(tokenKeyKey, key[:]); err != nil {
		return err
	}
	if err := putClock(tx, 0); err != nil {
		return err
	}
	return meta.Put(formatKey, binary.BigEndian.AppendUint16(nil, format))
}

// loadStores reads what the database keeps in memory and starts its clock.
func (db *DB) loadStores(tx *bbolt.Tx) error {
	meta := tx.Bucket(metaBucket)
	mark := meta.Get(clockKey)
	key := meta.Get(tokenKeyKey)
	if len(mark) != 8 || copy(db.tokenKey[:], key) != len(db.tokenKey) {
		return fmt.Errorf("meta data: %w", errDamaged)
	}
	latest := int64(binary.BigEndian.Uint64(mark))
	err := tx.Bucket(storesBucket).ForEach(func(id, value []byte) error {
		info, err := decodeStoreInfo(id, value)
		if err != nil {
			return err
		}
		s, err := db.openStore(tx, info)
		if err != nil {
			return fmt.Errorf("store %s: %w", info.Name, err)
		}
		db.byID[info.ID], db.byName[info.Name] = s, s
		v, err := openView(tx, info.ID, s.symbols)
		latest = max(latest, v.state.time)
		return err
	})
	db.clock = newClock(db.options.Clock, latest)
	db.clock.now()
	return err
}

func putClock(tx *bbolt.Tx, ms int64) error {
	return tx.Bucket(metaBucket).Put(clockKey, number(ms))
}

func decodeStoreInfo(id, value []byte) (tuples.StoreInfo, error) {
	in := input{rest: value}
	info := tuples.StoreInfo{ID: tuples.StoreID(id), Created: millis(int64(in.uint64())), Epoch: in.uint64()}
	if in.failed {
		return info, fmt.Errorf("store %s: %w", id, errDamaged)
	}
	info.Name = string(in.rest)
	return info, nil
}

func encodeStoreInfo(info tuples.StoreInfo) []byte {
	b := number(info.Created.UnixMilli())
	return append(binary.BigEndian.AppendUint64(b, info.Epoch), info.Name...)
}
