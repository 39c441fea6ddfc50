package examples_test

import (
	"maps"
	"os"
	"path/filepath"
	"testing"

	"github.com/usher-authz/usher/examples"
	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/tuples"
)

func TestModelsAreCleanAndTuplesValid(t *testing.T) {
	for _, e := range examples.All() {
		t.Run(e.Name, func(t *testing.T) {
			m, warnings, err := model.Parse(e.Model)
			if err != nil {
				t.Fatal(err)
			}
			for _, warning := range warnings {
				t.Errorf("model.fga:%s", warning)
			}
			keys := map[tuples.Key]bool{}
			for _, tuple := range e.Tuples {
				if err := m.ValidateTuple(tuple); err != nil {
					t.Errorf("%s: %v", tuple, err)
				}
				if keys[tuple.Key] {
					t.Errorf("%s stands there twice", tuple.Key)
				}
				keys[tuple.Key] = true
			}
		})
	}
}

// No folder is passed over for want of a file.
func TestEveryFolderIsAnExample(t *testing.T) {
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if !entry.IsDir() {
			continue
		}
		for _, name := range []string{"model.fga", "tuples.txt", "try.txt", entry.Name() + ".fga.yaml"} {
			if _, err := os.Stat(filepath.Join(entry.Name(), name)); err != nil {
				t.Errorf("an example needs the file: %v", err)
			}
		}
	}
}

func TestFind(t *testing.T) {
	for _, e := range examples.All() {
		if found, ok := examples.Find(e.Name); !ok || found.Name != e.Name || len(found.Try) != 3 {
			t.Errorf("Find(%q) = %s, %t, with %d commands to try, want 3", e.Name, found.Name, ok, len(found.Try))
		}
	}
	if _, ok := examples.Find("cars"); ok {
		t.Error(`there is an example "cars"`)
	}
	if first := examples.All()[0].Name; first != examples.MediaLibrary().Name {
		t.Errorf("the first example is %s, want the default", first)
	}
}

// The model cannot demand that everything lies in one place: with a parent beside its
// sealed_parent, a folder would not be sealed.
func TestMediaLibraryIsATree(t *testing.T) {
	places := map[tuples.Object]tuples.Key{}
	for _, tuple := range examples.MediaLibrary().Tuples {
		if tuple.Relation != "parent" && tuple.Relation != "sealed_parent" {
			continue
		}
		if other, ok := places[tuple.Object]; ok {
			t.Errorf("%s lies in two places: %s and %s", tuple.Object, other, tuple.Key)
		}
		places[tuple.Object] = tuple.Key
	}
	for object := range places {
		steps := 0
		for at := object; places[at] != (tuples.Key{}); at = places[at].Subject.Object() {
			if steps++; steps > len(places) {
				t.Fatalf("%s lies in itself", object)
			}
		}
	}
}

// A share of internal-shares and its collection name each other: the one tuple opens the
// collection, the other tells who may withdraw the share.
func TestInternalSharesNameTheirCollections(t *testing.T) {
	e, ok := examples.Find("internal-shares")
	if !ok {
		t.Fatal("there is no example internal-shares")
	}
	opened, named := map[tuples.Object]tuples.Object{}, map[tuples.Object]tuples.Object{}
	for _, tuple := range e.Tuples {
		switch tuple.Relation {
		case "share":
			opened[tuple.Subject.Object()] = tuple.Object
		case "collection":
			if tuple.Object.Type == "share" {
				named[tuple.Object] = tuple.Subject.Object()
			}
		}
	}
	if len(opened) == 0 || !maps.Equal(opened, named) {
		t.Errorf("shares open %v and name %v", opened, named)
	}
}
