package server_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
)

// share is one operation on one tuple: a write that sets whether it is there, or a
// Check that tells whether it is.
type share struct {
	media int
	write bool
	there bool // of a write: what it sets
}

// register is a tuple as a register: there or not.
var register = porcupine.Model{
	Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
		byMedia := map[int][]porcupine.Operation{}
		for _, op := range history {
			key := op.Input.(share).media
			byMedia[key] = append(byMedia[key], op)
		}
		var parts [][]porcupine.Operation
		for _, part := range byMedia {
			parts = append(parts, part)
		}
		return parts
	},
	Init: func() any { return false },
	Step: func(state, input, output any) (bool, any) {
		if in := input.(share); in.write {
			return true, in.there
		}
		return output == state, state
	},
	DescribeOperation: func(input, output any) string {
		in := input.(share)
		if in.write {
			return fmt.Sprintf("media %d := %v", in.media, in.there)
		}
		return fmt.Sprintf("media %d is %v", in.media, output)
	},
}

const (
	sharers        = 6
	sharesByEach   = 150
	sharedMedia    = 3
	porcupineLimit = 30 * time.Second
)

// Concurrent writers and readers see one order of events (promise 2), and a token
// never goes back behind one that was returned before its request began.
func TestLinearizable(t *testing.T) {
	w := newLibrary(t)
	start := time.Now()
	var mu sync.Mutex
	var history []porcupine.Operation
	var newest uint64 // revision of any answer so far
	var wait sync.WaitGroup
	for client := range sharers {
		wait.Go(func() {
			dice := rand.New(rand.NewPCG(uint64(client), 7))
			for range sharesByEach {
				in := share{media: dice.IntN(sharedMedia), write: dice.IntN(3) == 0, there: dice.IntN(2) == 0}
				mu.Lock()
				floor := newest
				mu.Unlock()
				op := porcupine.Operation{ClientId: client, Input: in, Call: int64(time.Since(start))}
				revision, output := w.share(in)
				op.Return, op.Output = int64(time.Since(start)), output
				mu.Lock()
				history = append(history, op)
				newest = max(newest, revision)
				mu.Unlock()
				if revision < floor {
					t.Errorf("an answer at revision %d came after one at %d", revision, floor)
				}
			}
		})
	}
	wait.Wait()
	if result := porcupine.CheckOperationsTimeout(register, history, porcupineLimit); result != porcupine.Ok {
		t.Errorf("history of %d operations: %v", len(history), result)
	}
}

// share does one operation and returns the revision of its answer, and what a Check said.
func (w *world) share(s share) (uint64, bool) {
	line := fmt.Sprintf("media:m%d#viewer@user:anna", s.media)
	if !s.write {
		r := question(w.t, fmt.Sprintf("user:anna can_view media:m%d", s.media))
		response, err := w.permissions.Check(w.ctx, r)
		if err != nil {
			w.t.Error(err)
		}
		return response.GetRevision(), response.GetOutcome() == usherv1.Outcome_OUTCOME_ALLOWED
	}
	op := usherv1.Operation_OPERATION_DELETE
	if s.there {
		op = usherv1.Operation_OPERATION_TOUCH
	}
	response, err := w.tuples.Write(w.ctx, &usherv1.WriteRequest{Updates: updates(w.t, op, line)})
	if err != nil {
		w.t.Error(err)
	}
	return response.GetRevision(), s.there
}

// Whoever writes reads it: the very next Check, by anybody, sees the write (A6).
func TestReadYourWrites(t *testing.T) {
	w := newLibrary(t)
	for i := range 100 {
		line := "media:logo#viewer@user:anna"
		w.touch(line)
		if got := w.check("user:anna can_view media:logo"); got != "allowed" {
			t.Fatalf("round %d: granted, but %s", i, got)
		}
		w.remove(line)
		if got := w.check("user:anna can_view media:logo"); got != "denied" {
			t.Fatalf("round %d: withdrawn, but %s", i, got)
		}
	}
}
