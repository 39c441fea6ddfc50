package drive

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/oklog/ulid/v2"
	"go.etcd.io/bbolt"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/tuples"
)

// MeasureWrites measures durable writes of one tuple, with every number of callers, in
// turns with single durable puts of one caller into a bbolt file of its own in dir, which
// should be on the disk of the database. The puts cost the server nothing: only the rates
// compare.
//
// What is written is about media and users that are in no library, so that the answers to
// a library's questions stay as they are.
func (t *Target) MeasureWrites(ctx context.Context, s Settings, dir string) (_ []Row, err error) {
	if err := s.validate(); err != nil {
		return nil, err
	}
	raw, err := bbolt.Open(filepath.Join(dir, "raw.db"), 0o600, nil)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, raw.Close()) }()
	puts := Operation{"raw bbolt put", func(_ context.Context, number int) error { return put(raw, number) }}
	floor := &contender{operation: puts, callers: 1}
	contenders := []*contender{floor}
	for _, callers := range s.Callers {
		contenders = append(contenders, &contender{operation: t.Write(), callers: callers})
	}
	if err := t.compete(ctx, s, contenders...); err != nil {
		return nil, err
	}
	var rows []Row
	for _, c := range contenders[1:] {
		rows = append(rows, Row{Result: &c.took, Floor: &floor.took})
	}
	return rows, nil
}

// Write creates one new tuple in a request.
func (t *Target) Write() Operation {
	client := usherv1.NewTupleServiceClient(t.connection)
	return Operation{"Write", func(ctx context.Context, number int) error {
		tuple := tuples.Tuple{Key: tuples.Key{
			Object:   tuples.Object{Type: "media", ID: tuples.ID("new-" + ulid.Make().String())},
			Relation: "viewer",
			Subject:  tuples.Subject{Type: "user", ID: tuples.ID(fmt.Sprintf("writer-%d@post.example", number%1_000))},
		}}
		response, err := client.Write(ctx, &usherv1.WriteRequest{Updates: []*usherv1.TupleUpdate{create(tuple)}})
		if err == nil && response.GetCreated() != 1 {
			return &WrongAnswerError{"create " + tuple.Key.String(), fmt.Sprintf("%d created", response.GetCreated()), "1"}
		}
		return err
	}}
}

func put(db *bbolt.DB, number int) error {
	return db.Update(func(tx *bbolt.Tx) error {
		bucket, err := tx.CreateBucketIfNotExists([]byte("raw"))
		if err != nil {
			return err
		}
		key := binary.BigEndian.AppendUint64(nil, uint64(number))
		return bucket.Put(key, key)
	})
}
