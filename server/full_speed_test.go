package server_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/server"
)

const (
	// atOnce is how many writers, and how many readers, work as fast as they can.
	atOnce = 8
	// turns are how often each writer gives or takes an access.
	turns = 150
	// perWay is how many accesses of each way a writer has; so it need not wait for readers.
	perWay = 3
)

// way is one tuple that decides whether a user may view a media: @ is the user, $ the name of
// the access.
type way struct {
	standing []string // tuples that are always there
	tuple    string
	takes    bool // the tuple takes the access, its absence gives it
}

var ways = []way{
	{tuple: "media:$#viewer@user:@"},
	{tuple: "group:$#member@user:@", standing: []string{"media:$#viewer@group:$#member"}},
	{tuple: "group:$#member@group:inner-$#member", standing: []string{
		"group:inner-$#member@user:@", "folder:$#viewer@group:$#member", "folder:sub-$#parent@folder:$", "media:$#folder@folder:sub-$",
	}},
	{tuple: "media:$#folder@folder:$", standing: []string{"folder:$#viewer@group:$#member", "group:$#member@user:@"}},
	{tuple: "media:$#blocked@user:@", standing: []string{"media:$#viewer@user:@"}, takes: true},
}

// access is what one writer gives and takes; it has one owner at a time.
type access struct {
	user, name string
	tuple      string
	takes      bool
	there      bool // the tuple is
	free       chan<- *access
}

// allowed is what every question must say that begins when the last write is acknowledged.
func (a *access) allowed() bool { return a.there != a.takes }

// What is acknowledged is seen by the question that follows, by whoever asks it and in
// whatever way, while everybody else writes and asks at full speed (promise 2, A6, B4); with
// all of the index in memory, with a part of it, and without one.
func TestWhatIsWrittenIsSeenAtFullSpeed(t *testing.T) {
	for name, c := range map[string]struct {
		memory  int64
		covered func(float64) bool // the part of the index that is in memory
	}{
		"index":               {1 << 30, func(covered float64) bool { return covered == 1 }},
		"a part of the index": {16 << 10, func(covered float64) bool { return covered > 0 && covered < 1 }},
		"no index":            {withoutIndex, func(covered float64) bool { return covered == 0 }},
	} {
		t.Run(name, func(t *testing.T) {
			registry := prometheus.NewRegistry()
			w := newWorld(t, server.Options{IndexMemory: c.memory, Registry: registry})
			w.ctx = t.Context() // on a busy machine the race detector takes most of a minute
			w.writeModel(library)
			for c.memory > 0 && metric(t, registry, "usher_index_loaded") == 0 {
				time.Sleep(time.Millisecond)
			}
			acknowledged := make(chan *access)
			var writing, reading sync.WaitGroup
			for n := range atOnce {
				free := w.newAccesses(fmt.Sprintf("u%d", n))
				writing.Go(func() { w.giveAndTake(free, acknowledged) })
			}
			for n := range atOnce {
				reading.Go(func() { w.follow(n, acknowledged) })
			}
			writing.Wait()
			close(acknowledged)
			reading.Wait()
			if covered := metric(t, registry, "usher_index_coverage_ratio"); !c.covered(covered) {
				t.Errorf("%v of the index was in memory", covered)
			}
		})
	}
}

// metric returns the value of a metric without labels, 0 if there is none.
func metric(t *testing.T, registry *prometheus.Registry, name string) float64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if m := family.GetMetric()[0]; family.GetName() == name {
			return m.GetGauge().GetValue() + m.GetCounter().GetValue()
		}
	}
	return 0
}

// newAccesses writes what stands, and returns the accesses of a user.
func (w *world) newAccesses(user string) chan *access {
	free := make(chan *access, perWay*len(ways))
	var standing []string
	for i := range cap(free) {
		kind := ways[i%len(ways)]
		a := &access{user: user, name: fmt.Sprintf("%s-%d", user, i), takes: kind.takes, free: free}
		named := strings.NewReplacer("user:@", "user:"+user, "$", a.name)
		a.tuple = named.Replace(kind.tuple)
		for _, text := range kind.standing {
			standing = append(standing, named.Replace(text))
		}
		free <- a
	}
	w.touch(standing...)
	return free
}

// giveAndTake writes an access that nobody asks about, and hands it to a reader.
func (w *world) giveAndTake(free <-chan *access, acknowledged chan<- *access) {
	for range turns {
		a := <-free
		if a.there = !a.there; a.there {
			w.touch(a.tuple)
		} else {
			w.remove(a.tuple)
		}
		acknowledged <- a
	}
}

// follow asks about each access that is acknowledged, in another way each time.
func (w *world) follow(n int, acknowledged <-chan *access) {
	ask := []func(*access) (bool, error){w.asksCheck, w.asksFilterObjects, w.asksListObjects}
	for a := range acknowledged {
		n++
		got, err := ask[n%len(ask)](a)
		if err != nil || got != a.allowed() {
			w.t.Errorf("%s is there: %t; question %d says %t, %v", a.tuple, a.there, n%len(ask), got, err)
		}
		a.free <- a
	}
}

func (w *world) asksCheck(a *access) (bool, error) {
	answer, err := w.permissions.Check(w.ctx, question(w.t, "user:"+a.user+" can_view media:"+a.name))
	return answer.GetOutcome() == usherv1.Outcome_OUTCOME_ALLOWED, err
}

func (w *world) asksFilterObjects(a *access) (bool, error) {
	answer, err := w.permissions.FilterObjects(w.ctx, &usherv1.FilterObjectsRequest{
		Subject: subject(w.t, "user:"+a.user), Relation: "can_view", ObjectType: "media", ObjectIds: []string{"none", a.name},
	})
	return slices.Contains(answer.GetAllowedIds(), a.name), err
}

func (w *world) asksListObjects(a *access) (bool, error) {
	pages, err := collect[usherv1.ListObjectsResponse](w.permissions.ListObjects(w.ctx, &usherv1.ListObjectsRequest{
		Subject: subject(w.t, "user:"+a.user), Relation: "can_view", ObjectType: "media",
	}))
	there := false
	for _, page := range pages {
		there = there || slices.ContainsFunc(page.GetObjects(), func(o *usherv1.ListedObject) bool { return o.GetId() == a.name })
	}
	return there, err
}
