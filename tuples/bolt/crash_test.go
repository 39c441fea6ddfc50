package bolt

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/usher-authz/usher/tuples"
	"go.uber.org/goleak"
)

const (
	crashFile    = "USHER_CRASH_FILE" // set in the child: the database to write to
	crashCycle   = "USHER_CRASH_CYCLE"
	crashLarge   = "USHER_CRASH_LARGE" // set for large commits beside the small ones
	crashCycles  = 50
	crashWriters = 4
)

// crashWrite is what one writer commits as its n-th write: two tuples created, and one
// replaced that all writes of the cycle share.
func crashWrite(cycle string, writer, n int) []string {
	return []string{
		fmt.Sprintf("media:c%s-w%d-n%d#viewer@user:anna", cycle, writer, n),
		fmt.Sprintf("media:c%s-w%d-n%d#owner@group:g%d#member", cycle, writer, n, n%7),
	}
}

func crashShared(cycle string, writer, n int) string {
	return fmt.Sprintf(`media:c%s#viewer@user:w%d attributes {"n":%d}`, cycle, writer, n)
}

func TestMain(m *testing.M) {
	if path := os.Getenv(crashFile); path != "" {
		fmt.Println(writeUntilKilled(path, os.Getenv(crashCycle)))
		os.Exit(1)
	}
	// A damaged file leaves bbolt's own goroutine behind, see openBolt.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("go.etcd.io/bbolt.(*DB).freepages.func2"))
}

// writeUntilKilled is the child's work: it prints each write after it was acknowledged.
// It returns only if it cannot go on.
func writeUntilKilled(path, cycle string) error {
	ctx := context.Background()
	options := Options{CollectEvery: -1}
	if os.Getenv(crashLarge) != "" {
		options.limits = stagingLimits(defaultLimits.listed, crashPiece)
	}
	db, err := Open(path, options)
	if err != nil {
		return err
	}
	if _, err := db.CreateStore(ctx, "default"); err != nil && !errors.Is(err, tuples.ErrStoreExists) {
		return err
	}
	s, err := db.Store(ctx, "default")
	if err != nil {
		return err
	}
	failed := make(chan error)
	if os.Getenv(crashLarge) != "" {
		go func() { failed <- eraseUntilKilled(s) }()
	}
	for w := range crashWriters {
		go func() {
			for n := 0; ; n++ {
				var c tuples.Commit
				for _, text := range append(crashWrite(cycle, w, n), crashShared(cycle, w, n)) {
					tuple, err := tuples.ParseTuple(text)
					if err != nil {
						failed <- err
					}
					c.Mutations = append(c.Mutations, tuples.Mutation{Op: tuples.OpTouch, Tuple: tuple})
				}
				if _, err := s.Commit(ctx, c); err != nil {
					failed <- err
				}
				fmt.Printf("ack %d %d\n", w, n) // one write to the pipe: never half a line
			}
		}()
	}
	return <-failed
}

func TestAcknowledgedWritesSurviveKill(t *testing.T) {
	path := filepath.Join(t.TempDir(), "usher.db")
	random := rand.New(rand.NewPCG(1, 2))
	total := 0
	for cycle := range crashCycles {
		name := fmt.Sprint(cycle)
		acknowledged := crash(t, path, name, 1+random.IntN(60))
		db, s := openTest(t, path, Options{})
		for w, n := range acknowledged[:crashWriters] {
			total += n
			checkSurvivors(t, s, name, w, n)
		}
		mustVerify(t, s)
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d acknowledged writes survived %d kills", total, crashCycles)
}

// crash starts the child and kills it after some acknowledgements. It returns how many
// writes each writer was acknowledged.
func crash(t *testing.T, path, cycle string, acks int, environment ...string) []int {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(append(os.Environ(), crashFile+"="+path, crashCycle+"="+cycle), environment...)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	acknowledged := make([]int, crashWriters+1) // the last is for large commits
	lines := bufio.NewScanner(out)
	seen := 0
	for lines.Scan() {
		var w, n int
		if _, err := fmt.Sscanf(lines.Text(), "ack %d %d", &w, &n); err != nil {
			t.Fatalf("the child says %q", lines.Text())
		}
		acknowledged[w] = n + 1
		if seen++; seen == acks {
			if err := child.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = child.Wait() // killed
	if seen < acks {
		t.Fatalf("the child ended after %d of %d acknowledgements", seen, acks)
	}
	return acknowledged
}

// checkSurvivors looks for a writer's writes: all that were acknowledged whole, the one
// behind them whole or not at all, and none after that.
func checkSurvivors(t *testing.T, s *store, cycle string, writer, acknowledged int) {
	t.Helper()
	snapshot, err := s.Snapshot(t.Context(), tuples.At{})
	if err != nil {
		t.Fatal(err)
	}
	defer snapshot.Close()
	for n := range acknowledged + 2 {
		there := 0
		for _, text := range crashWrite(cycle, writer, n) {
			if has(t, snapshot, parse(t, text)) {
				there++
			}
		}
		shared := has(t, snapshot, parse(t, crashShared(cycle, writer, n)))
		switch {
		case n < acknowledged && there != 2:
			t.Fatalf("cycle %s, writer %d: %d of the 2 tuples of write %d are left, which was acknowledged", cycle, writer, there, n)
		case n == acknowledged && there == 1, n == acknowledged && shared != (there == 2), n > acknowledged && there > 0:
			t.Fatalf("cycle %s, writer %d: %d of the 2 tuples of write %d are there, the shared one: %v", cycle, writer, there, n, shared)
		}
	}
}

// has reports whether the snapshot has a tuple with exactly this grant.
func has(t *testing.T, snapshot tuples.Snapshot, want tuples.Tuple) bool {
	t.Helper()
	filter := tuples.Filter{
		ObjectType: want.Object.Type, ObjectID: want.Object.ID, Relation: want.Relation,
		SubjectType: want.Subject.Type, SubjectID: want.Subject.ID, SubjectRelation: &want.Subject.Relation,
	}
	page, _, _, err := snapshot.Read(context.Background(), filter, nil, make([]tuples.Tuple, 0, 1))
	if err != nil {
		t.Fatal(err)
	}
	return len(page) == 1 && page[0].String() == want.String()
}
