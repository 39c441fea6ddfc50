package library

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/usher-authz/usher/check/reference"
	"github.com/usher-authz/usher/examples"
	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/tuples"
)

// now is when the reference judges expiry.
var now = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// A tiny library has few media and is full of what is rare, so that every corner of the
// oracle is looked into.
const (
	tinyMedia = 24
	oftenRare = 0.25
)

// The oracle answers as the reference does: for all users, things and relations of tiny
// libraries, whatever proof of a password is presented.
func TestOracleAgreesWithReference(t *testing.T) {
	seen := make(map[kind]map[Outcome]int)
	for seed := range uint64(12) {
		l := build(seed, tinyMedia, oftenRare)
		proof := [...]string{"", "press-2", "retailers-5"}[seed%3]
		compare(t, l, l.specification(t, proof), proof, seen)
	}
	for kind, outcomes := range map[kind][]Outcome{
		ofFolder:     {Denied, Allowed}, // no folder has a password
		ofCollection: {Denied, Allowed, Conditional},
		ofMedia:      {Denied, Allowed, Conditional},
	} {
		for _, outcome := range outcomes {
			if seen[kind][outcome] < 50 {
				t.Errorf("kind %d was %s %d times, want 50 or more", kind, outcome, seen[kind][outcome])
			}
		}
	}
}

// specification is the reference over the tuples of a library.
func (l *Library) specification(t *testing.T, proof string) *reference.Spec {
	t.Helper()
	m, _, err := model.Parse(examples.MediaLibrary().Model)
	if err != nil {
		t.Fatal(err)
	}
	world := reference.World{Model: m, Stored: slices.Collect(l.Tuples()), Now: now}
	if proof != "" {
		world.Context = tuples.Context{"proofs": []any{proof}}
	}
	return reference.New(world)
}

// compare asks both about everything. Each outcome is counted by the kind of thing.
func compare(t *testing.T, l *Library, spec *reference.Spec, proof string, seen map[kind]map[Outcome]int) {
	t.Helper()
	relations := slices.Collect(maps.Keys(derived))
	for _, role := range ladder {
		relations = append(relations, role.relation)
	}
	for user := range l.users {
		v := l.visitor(user, proof)
		for _, of := range l.things() {
			for _, relation := range relations {
				on := tuples.Userset{Object: l.object(of), Relation: relation}
				got, want := l.answer(v, of, relation), spec.Check(on, l.user(user)).Outcome
				if got.String() != string(want) {
					t.Fatalf("seed %d, proof %q: is %s %s? The oracle says %s, the reference %s", l.seed, proof, l.user(user), on, got, want)
				}
				if seen[of.kind] == nil {
					seen[of.kind] = make(map[Outcome]int)
				}
				seen[of.kind][got]++
			}
		}
	}
}

func (l *Library) things() (all []thing) {
	for _, part := range []struct {
		kind  kind
		count int32
	}{{ofFolder, int32(len(l.folders))}, {ofCollection, l.collections}, {ofMedia, l.media}} {
		for number := range part.count {
			all = append(all, thing{part.kind, number})
		}
	}
	return all
}

func TestListsAgreeWithReference(t *testing.T) {
	conditional := 0
	for seed := range uint64(3) {
		l := build(seed, tinyMedia, oftenRare)
		spec := l.specification(t, "")
		for user := range l.users {
			list := l.list(user)
			var want []Item
			for _, item := range spec.ListObjects("media", "can_view", list.Subject) {
				outcome := Allowed
				if item.Answer.Outcome == reference.Conditional {
					outcome = Conditional
					conditional++
				}
				want = append(want, Item{item.ID, outcome})
			}
			if !slices.Equal(list.Items, want) {
				t.Fatalf("seed %d: %s sees %v, the reference says %v", seed, list.Subject, list.Items, want)
			}
		}
	}
	if conditional == 0 {
		t.Error("no list had a media behind a password")
	}
}

// The libraries that the oracle is compared in have what it must not overlook.
func TestTinyLibrariesHaveSomeOfEverything(t *testing.T) {
	counts := make(map[string]int)
	for seed := range uint64(10) {
		for tuple := range build(seed, tinyMedia, oftenRare).Tuples() {
			for name, is := range kinds {
				if is(tuple) {
					counts[name]++
				}
			}
		}
	}
	for name := range kinds {
		if counts[name] < 10 {
			t.Errorf("%s: %d tuples, want 10 or more", name, counts[name])
		}
	}
}
