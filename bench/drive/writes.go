package drive

import (
	"context"
	"encoding/binary"
	"fmt"
	"path/filepath"

	"github.com/oklog/ulid/v2"
	"go.etcd.io/bbolt"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/tuples"
)

// Write creates one new tuple in a request. What is written is about media and users that
// are in no library, so that the answers to a library's questions stay as they are.
func (t *Target) Write() Operation {
	client := usherv1.NewTupleServiceClient(t.connection)
	return Operation{Name: "Write", server: t, Ask: func(ctx context.Context, number int) error {
		tuple := tuples.Tuple{Key: tuples.Key{
			Object:   tuples.Object{Type: "media", ID: tuples.ID("new-" + ulid.Make().String())},
			Relation: "viewer",
			Subject:  tuples.Subject{Type: "user", ID: tuples.ID(fmt.Sprintf("writer-%d@post.example", number%1_000))},
		}}
		response, err := client.Write(ctx, &usherv1.WriteRequest{Store: t.store, Updates: []*usherv1.TupleUpdate{create(tuple)}})
		if err == nil && response.GetCreated() != 1 {
			return &WrongAnswerError{"create " + tuple.Key.String(), fmt.Sprintf("%d created", response.GetCreated()), "1"}
		}
		return err
	}}
}

// RawPuts are the floor of durable writes: a small value put in a transaction of its own into
// a bbolt file in dir, which should be on the disk of the database. They cost the server
// nothing: only the rates compare.
type RawPuts struct{ db *bbolt.DB }

// OpenRawPuts makes the file. End with [RawPuts.Close].
func OpenRawPuts(dir string) (*RawPuts, error) {
	db, err := bbolt.Open(filepath.Join(dir, "raw.db"), 0o600, nil)
	if err != nil {
		return nil, err
	}
	return &RawPuts{db}, nil
}

// Close closes the file.
func (p *RawPuts) Close() error { return p.db.Close() }

// Operation puts one value in a request.
func (p *RawPuts) Operation() Operation {
	return Operation{Name: "raw bbolt put", Ask: func(_ context.Context, number int) error {
		return p.db.Update(func(tx *bbolt.Tx) error {
			bucket, err := tx.CreateBucketIfNotExists([]byte("raw"))
			if err != nil {
				return err
			}
			key := binary.BigEndian.AppendUint64(nil, uint64(number))
			return bucket.Put(key, key)
		})
	}}
}

// Toggle creates and deletes so many tuples in turns, one in a request, so that the store
// stays as large as it is. Every request changes one tuple, if their numbers are those from
// 1 on.
func (t *Target) Toggle(count int) Operation {
	client := usherv1.NewTupleServiceClient(t.connection)
	return Operation{Name: "Write", server: t, Ask: func(ctx context.Context, number int) error {
		turn, which := (number-1)/count, (number-1)%count
		update := create(tuples.Tuple{Key: tuples.Key{
			Object:   tuples.Object{Type: "media", ID: tuples.ID(fmt.Sprintf("toggled-%d", which))},
			Relation: "viewer",
			Subject:  tuples.Subject{Type: "user", ID: tuples.ID(fmt.Sprintf("toggler-%d@post.example", which%1_000))},
		}})
		if turn%2 == 1 {
			update.Operation = usherv1.Operation_OPERATION_DELETE
		}
		response, err := client.Write(ctx, &usherv1.WriteRequest{Store: t.store, Updates: []*usherv1.TupleUpdate{update}})
		if err == nil && response.GetCreated()+response.GetDeleted() != 1 {
			return &WrongAnswerError{fmt.Sprintf("%v of a toggled tuple", update.Operation), response.String(), "one tuple changed"}
		}
		return err
	}}
}
