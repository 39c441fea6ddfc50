package drive

import (
	"context"

	"github.com/usher-authz/usher/bench/library"
)

// How many different requests of a kind are asked, over and over, and how many media are
// in one.
const (
	checkCount = 10_000
	batchCount = 200
	pageCount  = 200
	batchSize  = 100
)

// ReadOperations draws the questions of a library. A library that is too small for lists
// of a length has no such operation.
func (t *Target) ReadOperations(l *library.Library) []Operation {
	operations := []Operation{
		t.Check(l.Checks(checkCount)),
		t.BatchCheck(l.Batches(batchCount, batchSize)),
		t.FilterObjects(l.Pages(pageCount, batchSize)),
	}
	for _, length := range []int{library.ShortList, library.LongList} {
		if lists := l.Lists(length); len(lists) > 0 {
			operations = append(operations, t.ListObjects(lists))
		}
	}
	return operations
}

// Measure measures operations, each with every number of callers, in turns with the
// health RPC. A [*WrongAnswerError] or failure ends the run.
func (t *Target) Measure(ctx context.Context, s Settings, operations ...Operation) ([]Row, error) {
	if err := s.validate(); err != nil {
		return nil, err
	}
	var rows []Row
	for _, operation := range operations {
		for _, callers := range s.Callers {
			floor := &contender{operation: t.Health(), callers: callers}
			measured := &contender{operation: operation, callers: callers}
			if err := t.compete(ctx, s, floor, measured); err != nil {
				return nil, err
			}
			rows = append(rows, Row{Result: &measured.took, Floor: &floor.took})
		}
	}
	return rows, nil
}
