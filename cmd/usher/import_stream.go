package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/tuplefile"
	"github.com/usher-authz/usher/tuples"
)

// A message of an import has as many rows as fit into these bounds. Larger ones gain
// nothing, and the server reads 16 MiB at most.
const (
	importRows  = 1_000
	importBytes = 1 << 20
)

// importer sends a file through as many streams as it takes. What is not behind a
// checkpoint when a stream breaks goes through the next one again.
type importer struct {
	*client
	header   *usherv1.ImportHeader
	file     tuplefile.Reader
	bytes    *countingReader // below file
	progress *progress
	retryFor time.Duration
	rows     int64 // that were read from the file
	end      error // of the file, io.EOF if there is nothing wrong with it

	mu      sync.Mutex  // protects what follows, which both directions of a stream use
	open    []importRow // were read and are behind no checkpoint
	settled int64       // rows of this stream that are behind one
	rejects *rejectFile
	report  importReport
	refused error // the first rejected row, if the import is to end there
}

// importRow is a row of the file until it is behind a checkpoint.
type importRow struct {
	line  int64
	text  string
	tuple *usherv1.Tuple
}

// run imports the file to its end. A stream that breaks is followed by another one, until
// none gets on for retryFor.
func (im *importer) run(ctx context.Context) error {
	again := &retry{client: im.client, limit: im.retryFor}
	for {
		before := im.report.line
		err := im.stream(ctx)
		if err == nil {
			return im.refused
		}
		im.progress.clear()
		if err := again.after(ctx, err, im.report.line > before); err != nil {
			return err
		}
	}
}

// stream sends what is behind no checkpoint yet, and the file to its end.
func (im *importer) stream(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watchdog := newWatchdog(im.timeout, func() { cancel(errSilent) })
	defer watchdog.rest()
	stream, err := im.tuples().Import(ctx)
	if err != nil {
		return err
	}
	im.settled = 0
	received := make(chan error, 1)
	go func() {
		err := im.receive(stream, watchdog)
		if err != nil {
			cancel(err)
		}
		received <- err
	}()
	im.send(stream, watchdog)
	watchdog.wait()
	switch err := <-received; {
	case errors.Is(context.Cause(ctx), errSilent):
		return errSilent
	case err != nil:
		return err
	case im.refused != nil:
		return nil // run has it
	case im.end == nil || len(im.open) > 0:
		return errors.New("the server ended the import before the end of the file")
	case !errors.Is(im.end, io.EOF):
		return im.end
	}
	return nil
}

// send sends rows until there are no more, or the stream has ended, which receive knows
// the reason of.
func (im *importer) send(stream grpc.BidiStreamingClient[usherv1.ImportRequest, usherv1.ImportResponse], watchdog *watchdog) {
	message := &usherv1.ImportRequest{Message: &usherv1.ImportRequest_Header{Header: im.header}}
	for sent := int64(0); message != nil; {
		watchdog.wait()
		if err := stream.Send(message); err != nil {
			return
		}
		watchdog.rest()
		rows := im.next(sent)
		sent += int64(len(rows))
		im.progress.show(im.bytes.read, im.rows)
		if message = nil; len(rows) > 0 {
			message = &usherv1.ImportRequest{Message: &usherv1.ImportRequest_Rows{Rows: &usherv1.ImportRows{Tuples: rows}}}
		}
	}
	_ = stream.CloseSend() // receive hears of a failure
}

// next returns the rows of one message: those from a number on, of this stream.
func (im *importer) next(number int64) []*usherv1.Tuple {
	var rows []*usherv1.Tuple
	for size := 0; len(rows) < importRows && size < importBytes; {
		tuple := im.row(number + int64(len(rows)))
		if tuple == nil {
			break
		}
		rows = append(rows, tuple)
		size += proto.Size(tuple)
	}
	return rows
}

// row returns a row of this stream: an open one, or the next of the file. nil is the end.
func (im *importer) row(number int64) *usherv1.Tuple {
	tuple, more := im.openRow(number)
	for tuple == nil && more {
		row, err := im.file.Read() // without the lock: stdin may take long
		tuple, more = im.take(row, err)
	}
	return tuple
}

// openRow returns a row of this stream if it was read already, or whether to read on.
func (im *importer) openRow(number int64) (tuple *usherv1.Tuple, more bool) {
	im.mu.Lock()
	defer im.mu.Unlock()
	if i := number - im.settled; i < int64(len(im.open)) {
		return im.open[i].tuple, true
	}
	return nil, im.more()
}

// take takes what was read. It returns no tuple if that is none, and whether to read on.
func (im *importer) take(row tuplefile.Row, err error) (tuple *usherv1.Tuple, more bool) {
	im.mu.Lock()
	defer im.mu.Unlock()
	if err != nil {
		im.end = err
		return nil, false
	}
	im.rows++
	if row.Err != nil {
		im.end = im.reject(row.Line, row.Text, localReason(row.Err), row.Err.Error())
		return nil, im.more()
	}
	im.open = append(im.open, importRow{row.Line, row.Text, row.Tuple})
	return row.Tuple, true
}

func (im *importer) more() bool { return im.end == nil && im.refused == nil }

// reject writes a row to the rejects.
func (im *importer) reject(line int64, text, reason, message string) error {
	im.report.Rows++
	im.report.Rejected++
	if im.header.GetStopAtFirstFailure() {
		im.refused = fmt.Errorf("line %d: %s", line, message)
	}
	return im.rejects.add(reject{Line: line, Row: text, Reason: reason, Message: message})
}

// localReason returns the reason of a row that is refused here. It is one of the server's
// where the server would say the same.
func localReason(err error) string {
	if _, ok := errors.AsType[*tuples.InvalidError](err); ok {
		return "INVALID_FIELD"
	}
	return "MALFORMED_ROW"
}

// receive takes what the server answers, until the stream ends.
func (im *importer) receive(stream grpc.BidiStreamingClient[usherv1.ImportRequest, usherv1.ImportResponse], watchdog *watchdog) error {
	var failures []*usherv1.ImportFailure
	for {
		answer, err := stream.Recv()
		if err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		watchdog.answered()
		// Failures count with their checkpoint: without it the rows would be sent again.
		failures = append(failures, answer.GetFailures()...)
		if answer.GetToken() == "" {
			continue
		}
		if err := im.checkpoint(answer, failures); err != nil {
			return err
		}
		failures = nil
	}
}

// checkpoint takes note that rows are stored, or refused.
func (im *importer) checkpoint(answer *usherv1.ImportResponse, failures []*usherv1.ImportFailure) error {
	im.mu.Lock()
	defer im.mu.Unlock()
	done := answer.GetRows() - im.settled
	if done < 0 || done > int64(len(im.open)) {
		return fmt.Errorf("the server counts %d rows, and %d were sent", answer.GetRows(), im.settled+int64(len(im.open)))
	}
	for _, failure := range failures {
		i := failure.GetRow() - im.settled
		if i < 0 || i >= done {
			return fmt.Errorf("the server refuses row %d at a checkpoint of rows %d to %d", failure.GetRow(), im.settled, answer.GetRows()-1)
		}
		row, why := im.open[i], failure.GetError()
		reason := strings.TrimPrefix(why.GetReason().String(), "ERROR_REASON_")
		if err := im.reject(row.line, row.text, reason, why.GetMessage()); err != nil {
			return err
		}
	}
	if done > 0 {
		im.report.line = im.open[done-1].line
	}
	im.open = slices.Delete(im.open, 0, int(done))
	im.settled += done
	im.report.add(answer)
	return nil
}
