package check

import "testing"

// What an evaluator leaves to the next one is empty, and no more than a short list takes.
func TestListRoomKeepsLittle(t *testing.T) {
	e := &Evaluator{}
	room := e.listRoom()
	for i := range 2 * setsKept {
		set := room.set()
		for key := range uint32(i * wordsKept / setsKept) {
			set.add(key, 3, 1)
		}
		set.addOpen(1<<30, &causes{})
	}
	room.first.begin("a", 2*candidatesKept, 2*candidatesKept)
	room.first.byID.begin(2 * candidatesKept)
	room.end()
	if len(room.sets) > setsKept || cap(room.first.candidates) > candidatesKept || cap(room.first.byID.keys) > candidatesKept {
		t.Errorf("it keeps %d sets, room for %d candidates and for %d keys",
			len(room.sets), cap(room.first.candidates), cap(room.first.byID.keys))
	}
	used := 0
	for range setsKept {
		set := room.set()
		if set.count() != 0 || set.get(0).reached != 0 || len(set.open) != 0 || cap(set.words) > wordsKept || cap(set.places) > placesKept {
			t.Errorf("a set has %d objects and room for %d words in %d places", set.count(), cap(set.words), cap(set.places))
		}
		if _, news := set.add(0, 1, 1); !news || set.count() != 1 {
			t.Error("an object of an empty set is no news")
		}
		if cap(set.places) > firstPlaces {
			used++
		}
	}
	if used == 0 {
		t.Error("no memory is used again")
	}
	e.lists = nil
	e.Close() // without lists there is nothing to end
}
