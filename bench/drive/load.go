package drive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"

	"google.golang.org/grpc"

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

// rowsPerMessage keeps messages of an import below 200 KiB.
const rowsPerMessage = 1_000

// Load writes the default model, and imports tuples, those of a library for example, to the
// store. A store that has one of them already is refused. progress is told after each
// checkpoint how many tuples there are; it may be nil.
func (t *Target) Load(ctx context.Context, all iter.Seq[tuples.Tuple], progress func(tuples int)) (Loaded, error) {
	model := &usherv1.ModelSource{Source: &usherv1.ModelSource_Dsl{Dsl: examples.MediaLibrary().Model.DSL}}
	if _, err := usherv1.NewModelServiceClient(t.connection).WriteModel(ctx, &usherv1.WriteModelRequest{Store: t.store, Source: model}); err != nil {
		return Loaded{}, fmt.Errorf("write the model: %w", err)
	}
	start := time.Now()
	loaded, err := t.importAll(ctx, all, progress)
	if err != nil {
		return Loaded{}, fmt.Errorf("load tuples into an empty store: %w", err)
	}
	loaded.Elapsed = time.Since(start)
	loaded.FileBytes, err = t.FileBytes()
	return loaded, err
}

// importAll sends the tuples, and reads the checkpoints meanwhile.
func (t *Target) importAll(ctx context.Context, all iter.Seq[tuples.Tuple], progress func(int)) (loaded Loaded, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // of the stream, if the checkpoints end early
	stream, err := usherv1.NewTupleServiceClient(t.connection).Import(ctx)
	if err != nil {
		return Loaded{}, err
	}
	sent := make(chan error, 1)
	go func() { sent <- send(stream, t.store, all) }()
	loaded.Tuples, err = readCheckpoints(stream, progress)
	if err != nil {
		return Loaded{}, err // why sending failed too
	}
	return loaded, <-sent
}

// send sends the rows of an import and ends it.
func send(stream grpc.BidiStreamingClient[usherv1.ImportRequest, usherv1.ImportResponse], store string, all iter.Seq[tuples.Tuple]) error {
	header := &usherv1.ImportHeader{Store: store, CheckpointRows: checkpointRows}
	if err := stream.Send(&usherv1.ImportRequest{Message: &usherv1.ImportRequest_Header{Header: header}}); err != nil {
		return err
	}
	rows := make([]*usherv1.Tuple, 0, rowsPerMessage)
	flush := func() error {
		message := &usherv1.ImportRequest_Rows{Rows: &usherv1.ImportRows{Tuples: rows}}
		err := stream.Send(&usherv1.ImportRequest{Message: message})
		rows = rows[:0] // the message is encoded
		return err
	}
	for tuple := range all {
		if rows = append(rows, wire.FromTuple(tuple)); len(rows) == rowsPerMessage {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if err := flush(); err != nil {
		return err
	}
	return stream.CloseSend()
}

// checkpointRows is how many rows are written at once: the more, the fewer pages of the file
// are written twice. Nobody else writes meanwhile.
const checkpointRows = 250_000

// readCheckpoints reads an import to its end, and returns how many tuples were made. All of
// them must be new.
func readCheckpoints(stream grpc.BidiStreamingClient[usherv1.ImportRequest, usherv1.ImportResponse], progress func(int)) (created int, err error) {
	for {
		checkpoint, err := stream.Recv()
		switch {
		case errors.Is(err, io.EOF):
			return created, nil
		case err != nil:
			return 0, err
		case len(checkpoint.GetFailures()) > 0:
			failure := checkpoint.GetFailures()[0]
			return 0, fmt.Errorf("row %d: %s", failure.GetRow(), failure.GetError().GetMessage())
		case checkpoint.GetUpdated()+checkpoint.GetUnchanged() > 0:
			return 0, fmt.Errorf("%d tuples are there already", checkpoint.GetUpdated()+checkpoint.GetUnchanged())
		}
		if created += int(checkpoint.GetCreated()); progress != nil {
			progress(created)
		}
	}
}

func create(t tuples.Tuple) *usherv1.TupleUpdate {
	return &usherv1.TupleUpdate{Operation: usherv1.Operation_OPERATION_CREATE, Tuple: wire.FromTuple(t)}
}
