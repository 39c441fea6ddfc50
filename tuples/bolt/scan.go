package bolt

import (
	"bytes"
	"context"

	"github.com/usher-authz/usher/tuples"
)

// EachEdge implements [tuples.Snapshot].
func (s *snapshot) EachEdge(ctx context.Context, visit func(tuples.EdgeKey, *tuples.Grant) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.scan(ctx, forward, nil, nil, func(_ *view, key, row []byte) (bool, error) {
		if row == nil {
			return true, nil
		}
		_, g, err := splitRow(row)
		if err != nil {
			return false, err
		}
		decoded, err := g.decode()
		if err != nil {
			return false, err
		}
		err = visit(forward.edge(key), decoded)
		return err == nil, err
	})
}

// EachName implements [tuples.Snapshot]. It reads the nodes of the head, which are those of
// every revision: they only become more.
func (s *snapshot) EachName(ctx context.Context, visit func(tuples.Node, tuples.Object) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for from := []byte{}; from != nil; {
		v, err := s.open(ctx)
		if err != nil {
			return err
		}
		if from, err = s.names(ctx, v, from, visit); err != nil {
			return err
		}
	}
	return nil
}

// names visits names for a slice, and returns where to go on; nil for nowhere. A type that is
// not published yet has no name, nor then have its objects.
func (s *snapshot) names(ctx context.Context, v *view, from []byte, visit func(tuples.Node, tuples.Object) error) ([]byte, error) {
	var symbol tuples.Symbol
	var object tuples.Object
	c := v.part(partNodes).Cursor()
	rows := 0
	for key, id := c.Seek(from); key != nil; key, id = c.Next() {
		if rows++; rows%rowsBetweenChecks == 0 && (s.due.Load() || ctx.Err() != nil) {
			return bytes.Clone(key), nil
		}
		node := decodeNode(key)
		if t := node.Type(); t != symbol {
			symbol, object.Type = t, tuples.ObjectType(v.names.Name(t))
		}
		if object.Type == "" {
			continue
		}
		object.ID = tuples.ID(id)
		if err := visit(node, object); err != nil {
			return nil, err
		}
	}
	return nil, nil
}
