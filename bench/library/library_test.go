package library

import (
	"hash/maphash"
	"slices"
	"strings"
	"testing"

	"github.com/usher-authz/usher/examples"
	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/tuples"
)

// fingerprint is of all tuples in their order.
func fingerprint(seed maphash.Seed, l *Library) uint64 {
	var hash maphash.Hash
	hash.SetSeed(seed)
	for t := range l.Tuples() {
		_, _ = hash.WriteString(t.String())
	}
	return hash.Sum64()
}

func TestLibraryIsTheSameForTheSameSeed(t *testing.T) {
	seed := maphash.MakeSeed()
	first, again, other := New(1, 20_000), New(1, 20_000), New(2, 20_000)
	want := fingerprint(seed, first)
	for name, l := range map[string]*Library{"the same once more": first, "another of the same seed": again} {
		if fingerprint(seed, l) != want {
			t.Errorf("%s has other tuples", name)
		}
	}
	if fingerprint(seed, other) == want {
		t.Error("two seeds make one library")
	}
	same := func(a, b Question) bool {
		return a.On == b.On && a.Subject == b.Subject && a.Context.Equal(b.Context) && a.Want == b.Want
	}
	if !slices.EqualFunc(first.Checks(100), again.Checks(100), same) {
		t.Error("two libraries of one seed ask different questions")
	}
}

func TestLibraryHasTheSizeAskedFor(t *testing.T) {
	for _, size := range []int{S, M} {
		count := 0
		for range New(1, size).Tuples() {
			count++
		}
		if count < size*99/100 || count > size*101/100 {
			t.Errorf("%d tuples, want %d", count, size)
		}
	}
}

func TestTuplesAreValidAndUnique(t *testing.T) {
	m, _, err := model.Parse(examples.MediaLibrary().Model)
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[tuples.Key]bool)
	for tuple := range New(1, S).Tuples() {
		if err := tuple.Validate(); err != nil {
			t.Fatal(err)
		}
		if err := m.ValidateTuple(tuple); err != nil {
			t.Fatal(err)
		}
		if seen[tuple.Key] {
			t.Fatalf("%s comes twice", tuple.Key)
		}
		seen[tuple.Key] = true
	}
}

func TestStreamCanBeLeft(t *testing.T) {
	l := New(1, S)
	for _, want := range []int{1, 10_000, 90_000} {
		count := 0
		for range l.Tuples() {
			if count++; count == want {
				break
			}
		}
		if count != want {
			t.Errorf("%d tuples, want %d", count, want)
		}
	}
}

// Of everything that the issue names there is some, and not too much.
func TestLibraryHasSomeOfEverything(t *testing.T) {
	l := New(1, S)
	counts := make(map[string]int)
	for t := range l.Tuples() {
		for name, is := range kinds {
			if is(t) {
				counts[name]++
			}
		}
	}
	for name, want := range map[string]struct{ least, most int }{
		"media":                  {33_000, 35_000},
		"folders":                {2_500, 3_000},
		"sealed":                 {100, 300},
		"members of groups":      {5_000, 8_000},
		"groups in groups":       {300, 450},
		"in collections":         {4_000, 6_000},
		"shares to users":        {9_000, 13_000},
		"shares to groups":       {2_500, 4_500},
		"organisation-wide":      {10, 60},
		"public":                 {3, 6},
		"to addresses":           {20, 120},
		"with a password":        {2, 2},
		"with an expiry":         {60, 300},
		"with attributes":        {5, 50},
		"statuses":               {250, 450},
		"parts of another media": {250, 450},
		"folders of teams":       {10, 60},
	} {
		if got := counts[name]; got < want.least || got > want.most {
			t.Errorf("%s: %d tuples, want %d to %d", name, got, want.least, want.most)
		}
	}
}

// kinds tell what a tuple is there for.
var kinds = map[string]func(tuples.Tuple) bool{
	"media":             func(t tuples.Tuple) bool { return t.Object.Type == "media" && t.Relation == "owner" },
	"folders":           func(t tuples.Tuple) bool { return t.Object.Type == "folder" && t.Relation == "owner" },
	"sealed":            func(t tuples.Tuple) bool { return t.Relation == "sealed_parent" },
	"members of groups": func(t tuples.Tuple) bool { return t.Object.Type == "group" && t.Subject.Type == "user" },
	"groups in groups":  func(t tuples.Tuple) bool { return t.Object.Type == "group" && t.Subject.Type == "group" },
	"in collections":    func(t tuples.Tuple) bool { return t.Relation == "collection" },
	"shares to users":   func(t tuples.Tuple) bool { return isShare(t) && t.Subject.Type == "user" },
	"shares to groups":  func(t tuples.Tuple) bool { return isShare(t) && t.Subject.Type == "group" },
	"organisation-wide": func(t tuples.Tuple) bool { return isShare(t) && t.Subject.Type == "organisation" },
	"public":            func(t tuples.Tuple) bool { return isShare(t) && t.Subject.IsWildcard() },
	"to addresses":      func(t tuples.Tuple) bool { return isShare(t) && t.Subject.Type == "address" },
	"with a password":   func(t tuples.Tuple) bool { return t.Condition != nil },
	"with an expiry":    func(t tuples.Tuple) bool { return !t.Expires.IsZero() },
	"with attributes":   func(t tuples.Tuple) bool { return len(t.Attributes) > 0 },
	"statuses":          func(t tuples.Tuple) bool { return t.Relation == "status" },
	"parts of another media": func(t tuples.Tuple) bool {
		return t.Object.Type == "media" && t.Subject.Type == "media"
	},
	"folders of teams": func(t tuples.Tuple) bool { return t.Relation == "team" },
}

func isShare(t tuples.Tuple) bool {
	return slices.Contains([]tuples.Relation{"viewer", "commenter", "downloader", "editor", "admin"}, t.Relation)
}

func TestGroupsAndFoldersNestAsDeepAsTheyShould(t *testing.T) {
	l := New(1, S)
	deepest := int8(0)
	for _, g := range l.groups {
		deepest = max(deepest, g.level)
	}
	if deepest != groupDepth {
		t.Errorf("groups nest %d deep, want %d", deepest, groupDepth)
	}
	deepest = 0
	for f := range l.folders {
		deepest = max(deepest, l.folders[f].level)
	}
	if deepest != folderDepth {
		t.Errorf("the tree has %d levels, want %d", deepest, folderDepth)
	}
}

// Ids look like those of real systems: nothing is special about their order.
func TestIDsAreNotInTheOrderOfNumbers(t *testing.T) {
	l := New(1, S)
	ascending := 0
	for m := range l.media - 1 {
		if l.mediaObject(m).ID < l.mediaObject(m+1).ID {
			ascending++
		}
	}
	if part := float64(ascending) / float64(l.media); part < 0.48 || part > 0.52 {
		t.Errorf("%.2f of the media have a greater id than the one before", part)
	}
	if id := l.user(7).ID; !strings.Contains(string(id), "@") {
		t.Errorf("user 7 is %s", id)
	}
}

func TestEveryMediaLiesInItsFolder(t *testing.T) {
	l := New(1, 20_000)
	for f := range l.folders {
		for i := range l.folders[f].count {
			if got := l.folderOf(l.folders[f].first + i); got != int32(f) {
				t.Fatalf("media %d lies in folder %d, want %d", l.folders[f].first+i, got, f)
			}
		}
	}
}
