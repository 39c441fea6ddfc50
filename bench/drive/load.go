package drive

import (
	"context"
	"fmt"
	"iter"
	"sync"
	"time"

	"github.com/usher-authz/usher/examples"
	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/server/wire"
	"github.com/usher-authz/usher/tuples"
)

// Loaded is what loading a library came to.
type Loaded struct {
	Tuples    int
	Elapsed   time.Duration
	FileBytes int64 // of the database, log included; 0 if the file is not known
}

// PerSecond is how many tuples were written in a second.
func (l Loaded) PerSecond() float64 { return float64(l.Tuples) / l.Elapsed.Seconds() }

// BytesPerTuple is the size of the database by its tuples. It grows in steps of 16 MiB.
func (l Loaded) BytesPerTuple() float64 { return float64(l.FileBytes) / float64(l.Tuples) }

// Two requests of as many tuples as a Write takes are under way at once: the server is
// at work while a client prepares the next.
const (
	perWrite = 10_000
	writers  = 2
)

// Load writes the default model and tuples, those of a library for example, to the store. A
// store that has one of them already is refused.
func (t *Target) Load(ctx context.Context, all iter.Seq[tuples.Tuple]) (Loaded, error) {
	model := &usherv1.ModelSource{Source: &usherv1.ModelSource_Dsl{Dsl: examples.MediaLibrary().Model.DSL}}
	if _, err := usherv1.NewModelServiceClient(t.connection).WriteModel(ctx, &usherv1.WriteModelRequest{Store: t.store, Source: model}); err != nil {
		return Loaded{}, fmt.Errorf("write the model: %w", err)
	}
	var loaded Loaded
	start := time.Now()
	if err := t.writeAll(ctx, all, &loaded); err != nil {
		return Loaded{}, fmt.Errorf("load tuples into an empty store: %w", err)
	}
	loaded.Elapsed = time.Since(start)
	var err error
	loaded.FileBytes, err = t.FileBytes()
	return loaded, err
}

// writeAll hands the tuples to the writers, and counts them.
func (t *Target) writeAll(ctx context.Context, all iter.Seq[tuples.Tuple], loaded *Loaded) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	requests := make(chan *usherv1.WriteRequest)
	client := usherv1.NewTupleServiceClient(t.connection)
	var group sync.WaitGroup
	for range writers {
		group.Go(func() {
			for request := range requests {
				if _, err := client.Write(ctx, request); err != nil {
					cancel(err) // the first counts: those behind it end by the context
				}
			}
		})
	}
	for request := range t.writeRequests(all) {
		if ctx.Err() != nil {
			break
		}
		loaded.Tuples += len(request.Updates)
		requests <- request
	}
	close(requests)
	group.Wait()
	return context.Cause(ctx)
}

// writeRequests creates the tuples, in their order.
func (t *Target) writeRequests(all iter.Seq[tuples.Tuple]) iter.Seq[*usherv1.WriteRequest] {
	return func(yield func(*usherv1.WriteRequest) bool) {
		request := &usherv1.WriteRequest{Store: t.store}
		for tuple := range all {
			request.Updates = append(request.Updates, create(tuple))
			if len(request.Updates) < perWrite {
				continue
			}
			if !yield(request) {
				return
			}
			request = &usherv1.WriteRequest{Store: t.store}
		}
		if len(request.Updates) > 0 {
			yield(request)
		}
	}
}

func create(t tuples.Tuple) *usherv1.TupleUpdate {
	return &usherv1.TupleUpdate{Operation: usherv1.Operation_OPERATION_CREATE, Tuple: wire.FromTuple(t)}
}
