package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"google.golang.org/grpc"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/tuples"
)

// Import implements usher.v1.TupleService.
func (s *tupleService) Import(stream grpc.BidiStreamingServer[usherv1.ImportRequest, usherv1.ImportResponse]) error {
	rows, err := s.importRows(stream)
	if rows >= manyImported {
		runtime.GC() // the second one gets what pools had kept, such as the pages of a transaction
		debug.FreeOSMemory()
	}
	return err
}

// manyImported is how many rows an import has at least that cleans up behind itself. With a
// checkpoint of so many rows the heap is several times as large as what it leaves, and would
// stay so until somebody else has filled it: 467 MiB at a million tuples, 68 behind it.
const manyImported = 100_000

// importRows imports, and returns how many rows it has answered. Three things go on at once: a
// message is read, the rows of the one before are judged, and the checkpoint before these is
// written.
func (s *tupleService) importRows(stream grpc.BidiStreamingServer[usherv1.ImportRequest, usherv1.ImportResponse]) (rows int64, err error) {
	ctx, cancel := context.WithCancel(stream.Context())
	messages := receive(ctx, stream)
	im := &importer{stream: stream, metrics: s.imported}
	defer func() {
		cancel()
		if im.committing != nil {
			<-im.committing
		}
	}()
	first, err := next(ctx, messages)
	if err == nil {
		err = im.begin(ctx, s.Server, first)
	}
	if err == nil {
		err = im.run(ctx, messages)
	}
	return im.reached, err
}

// received is a message of an import, or why there is none; nil and no error at the end.
type received struct {
	message *usherv1.ImportRequest
	err     error
}

// receive reads the messages of an import one ahead, until it ends or ctx does.
func receive(ctx context.Context, stream grpc.BidiStreamingServer[usherv1.ImportRequest, usherv1.ImportResponse]) <-chan received {
	messages := make(chan received)
	go func() {
		for {
			message, err := stream.Recv()
			if errors.Is(err, io.EOF) {
				message, err = nil, nil
			}
			select {
			case messages <- received{message, err}:
			case <-ctx.Done():
				return
			}
			if message == nil {
				return
			}
		}
	}()
	return messages
}

func next(ctx context.Context, messages <-chan received) (*usherv1.ImportRequest, error) {
	select {
	case m := <-messages:
		return m.message, m.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// importer is one import under way.
type importer struct {
	*handle
	stream  grpc.BidiStreamingServer[usherv1.ImportRequest, usherv1.ImportResponse]
	metrics *importMetrics

	header *usherv1.ImportHeader
	origin tuples.Origin
	size   int // rows of a checkpoint

	filling    *checkpoint      // gets the next row
	spare      *checkpoint      // was answered, and gives its memory to the one after next
	committing chan *checkpoint // brings the checkpoint that is being written; nil for none
	reached    int64            // rows behind the last checkpoint that was sent
	answered   bool             // whether one was
}

// begin reads the header.
func (im *importer) begin(ctx context.Context, s *Server, first *usherv1.ImportRequest) (err error) {
	im.header = first.GetHeader()
	if im.header == nil {
		return tuples.Invalid("header", "", "is not the first message", "send the header, then rows")
	}
	var p problems
	p.addOrigin(im.header.GetActor(), im.header.GetMetadata())
	if n := im.header.GetCheckpointRows(); n < 0 || n > maxCheckpointRows {
		p.add("checkpoint_rows", tuples.Invalid("", fmt.Sprint(n), "is out of range",
			fmt.Sprintf("send 1 to %d, or 0 for %d", maxCheckpointRows, defaultCheckpointRows)))
	}
	if err := p.err(); err != nil {
		return within("header", err)
	}
	if im.handle, err = s.handle(ctx, im.header.GetStore()); err != nil {
		return err
	}
	im.origin = newOrigin(im.header.GetActor(), im.header.GetMetadata())
	if im.size = int(im.header.GetCheckpointRows()); im.size == 0 {
		im.size = defaultCheckpointRows
	}
	im.filling, err = im.newCheckpoint(ctx, 0)
	return err
}

// run imports rows until they end or something fails.
func (im *importer) run(ctx context.Context, messages <-chan received) error {
	for {
		select {
		case m := <-messages:
			switch {
			case m.err != nil:
				return m.err
			case m.message == nil:
				return im.finish(ctx)
			}
			stop, err := im.take(ctx, m.message)
			if err != nil || stop {
				return err
			}
		case c := <-im.committing:
			if stop, err := im.answer(c); err != nil || stop {
				return err
			}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// take judges the rows of a message. It reports whether the import ends behind them.
func (im *importer) take(ctx context.Context, message *usherv1.ImportRequest) (stop bool, err error) {
	rows := message.GetRows()
	switch n := len(rows.GetTuples()); {
	case message.GetHeader() != nil:
		return false, tuples.Invalid("header", "", "is sent again", "send it once, and then rows")
	case rows == nil:
		return false, tuples.Invalid("message", "", "is not set", "send rows")
	case n > maxImportRows:
		return false, tooMany("rows.tuples", n, maxImportRows)
	}
	for _, row := range rows.GetTuples() {
		refused, err := im.filling.take(row)
		if err != nil {
			return false, err
		}
		if refused && im.header.GetStopAtFirstFailure() {
			return true, im.finish(ctx)
		}
		if im.filling.full(im.size) {
			if stop, err = im.commit(ctx); err != nil || stop {
				return stop, err
			}
		}
	}
	if rows.GetCheckpoint() {
		return im.commit(ctx)
	}
	return false, nil
}

// commit begins to write the checkpoint that is being filled, behind the one before it.
func (im *importer) commit(ctx context.Context) (stop bool, err error) {
	if stop, err = im.settle(ctx); err != nil || stop {
		return stop, err
	}
	c, done := im.filling, make(chan *checkpoint, 1)
	if im.filling, err = im.newCheckpoint(ctx, c.end); err != nil {
		return false, err
	}
	im.committing = done
	go func() { // c is its own now
		c.err = im.write(ctx, c)
		done <- c
	}()
	return false, nil
}

// settle waits for the checkpoint that is being written, if there is one.
func (im *importer) settle(ctx context.Context) (stop bool, err error) {
	if im.committing == nil {
		return false, nil
	}
	select {
	case c := <-im.committing:
		return im.answer(c)
	case <-ctx.Done():
		return false, context.Cause(ctx)
	}
}

// finish writes the last checkpoint, behind the last row in any case.
func (im *importer) finish(ctx context.Context) error {
	stop, err := im.settle(ctx)
	if err != nil || stop || im.answered && im.reached == im.filling.end {
		return err
	}
	if _, err = im.commit(ctx); err == nil {
		_, err = im.settle(ctx)
	}
	return err
}
