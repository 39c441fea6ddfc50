package server_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
)

// mediaRow is the n-th of many rows: three viewers for each media.
func mediaRow(n int) *usherv1.Tuple {
	return &usherv1.Tuple{
		Object: &usherv1.Object{Type: "media", Id: fmt.Sprintf("m%d", n/3)}, Relation: "viewer",
		Subject: &usherv1.Subject{Type: "user", Id: fmt.Sprintf("u%d", n%3_001)},
	}
}

// Ten bad rows among a hundred thousand are named; the others are stored.
func TestImportOfManyRowsWithTenBadOnes(t *testing.T) {
	const n, bad = 100_000, 10
	w := newLibrary(t)
	im := w.importInto(&usherv1.ImportHeader{CheckpointRows: 30_000})
	go func() {
		for from := 0; from < n; from += 1_000 {
			rows := make([]*usherv1.Tuple, 1_000)
			for i := range rows {
				if rows[i] = mediaRow(from + i); (from+i)%(n/bad) == 7 {
					rows[i].Relation = "seer"
				}
			}
			im.rows(rows...)
		}
		_ = im.stream.CloseSend()
	}()
	answers, err := collect(im.stream, nil)
	if err != nil {
		t.Fatal(err)
	}
	created := int64(0)
	var refused []int64
	for _, a := range answers {
		created += a.GetCreated()
		for _, f := range a.GetFailures() {
			refused = append(refused, f.GetRow())
		}
	}
	if want := []int64{7, 10_007, 20_007, 30_007, 40_007, 50_007, 60_007, 70_007, 80_007, 90_007}; created != n-bad || !slices.Equal(refused, want) {
		t.Errorf("%d created, rows %v refused", created, refused)
	}
	if counts := mustVerify(t, w); len(answers) != 4 || counts.Live != n-bad || counts.Changes != 1+len(answers) {
		t.Errorf("%d checkpoints, and the store has %+v", len(answers), counts)
	}
}

// A checkpoint of more tuples than a message holds, or an entry of the log, is one revision
// for who watches: its last message alone has a token.
func TestWatchSeesACheckpointAsOneRevision(t *testing.T) {
	const n = 12_000
	w := newLibrary(t)
	stream, _ := w.watch(&usherv1.WatchRequest{})
	im := w.importInto(&usherv1.ImportHeader{Metadata: map[string]string{"file": "a.csv"}})
	for from := 0; from < n; from += 1_000 {
		rows := make([]*usherv1.Tuple, 1_000)
		for i := range rows {
			rows[i] = mediaRow(from + i)
		}
		im.rows(rows...)
	}
	done := im.mustEnd()[0]
	for seen := 0; seen < n; {
		message, err := stream.Recv()
		if err != nil {
			t.Fatal(err)
		}
		if message.GetChanges() == nil {
			continue // a sign of life
		}
		seen += len(message.GetChanges().GetTuples())
		if message.GetRevision() != done.GetRevision() || (message.GetToken() != "") != (seen == n) || message.GetChanges().GetMetadata()["file"] != "a.csv" {
			t.Fatalf("behind %d tuples: revision %d of %d, token %q, metadata %v", seen, message.GetRevision(), done.GetRevision(), message.GetToken(), message.GetChanges().GetMetadata())
		}
	}
}

// While rows are imported, readers see each checkpoint whole or not at all, and writers see
// what they wrote.
func TestImportBesideReadersAndWriters(t *testing.T) {
	const checkpoints, rows = 12, 400
	w := newLibrary(t)
	ctx, done := context.WithCancel(w.ctx)
	var others sync.WaitGroup
	others.Go(func() {
		for n := 0; ctx.Err() == nil; n++ {
			number := n % checkpoints
			filter := &usherv1.TupleFilter{SubjectType: "group", SubjectId: fmt.Sprintf("g%d", number)}
			messages, err := collect(w.tuples.Read(w.ctx, &usherv1.ReadRequest{Filter: filter}))
			found := 0
			for _, m := range messages {
				found += len(m.GetTuples())
			}
			if err != nil || found != 0 && found != rows {
				t.Errorf("checkpoint %d shows %d of %d rows, %v", number, found, rows, err)
			}
		}
	})
	others.Go(func() {
		for n := 0; ctx.Err() == nil; n++ {
			line := fmt.Sprintf("media:w%d#viewer@user:anna", n)
			if err := w.tryWrite(touch, line, ""); err != nil {
				t.Error(err)
				return
			}
			answer, err := w.permissions.Check(w.ctx, question(t, fmt.Sprintf("user:anna can_view media:w%d", n)))
			if err != nil || answer.GetOutcome() != usherv1.Outcome_OUTCOME_ALLOWED {
				t.Errorf("%s was written: %v, %v", line, answer, err)
				return
			}
		}
	})
	im := w.importInto(&usherv1.ImportHeader{CheckpointRows: rows})
	for n := range checkpoints {
		list := make([]*usherv1.Tuple, rows)
		for i := range list {
			list[i] = mediaRow(3 * i)
			list[i].Subject = &usherv1.Subject{Type: "group", Id: fmt.Sprintf("g%d", n), Relation: "member"}
		}
		im.rows(list...)
	}
	if answers := im.mustEnd(); len(answers) != checkpoints {
		t.Errorf("there were %d checkpoints", len(answers))
	}
	done()
	others.Wait()
	mustVerify(t, w)
}

// An import leaves no more of its garbage than the rows of a checkpoint.
func TestALargeImportCleansUp(t *testing.T) {
	const n = 100_000
	w := newLibrary(t)
	rows := make([]*usherv1.Tuple, 1_000)
	im := w.importInto(&usherv1.ImportHeader{CheckpointRows: 50_000})
	go func() {
		for from := 0; from < n; from += len(rows) {
			for i := range rows {
				rows[i] = mediaRow(from + i)
			}
			im.rows(rows...)
		}
		_ = im.stream.CloseSend()
	}()
	if _, err := collect(im.stream, nil); err != nil {
		t.Fatal(err)
	}
	var heap runtime.MemStats
	runtime.ReadMemStats(&heap)
	before := heap.HeapAlloc
	runtime.GC()
	runtime.ReadMemStats(&heap)
	t.Logf("%d MiB behind the import, %d behind a collection", before>>20, heap.HeapAlloc>>20)
	if before > heap.HeapAlloc*13/10+(4<<20) {
		t.Errorf("the heap has %d MiB behind the import, and %d when it is collected", before>>20, heap.HeapAlloc>>20)
	}
}
