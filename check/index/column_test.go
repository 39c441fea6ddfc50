package index

import (
	"testing"

	"github.com/usher-authz/usher/tuples"
)

// lies is the tuple by which a media lies in a folder.
func lies(media, folder uint32) tuples.EdgeKey {
	return tuples.EdgeKey{Object: tuples.NewNode(2, media), Relation: 7, Subject: tuples.NewNode(3, folder)}
}

// shelf is an index of ten media, each in the folder of twice its number.
func shelf(t *testing.T) machine {
	t.Helper()
	var all []tuples.EdgeChange
	for media := range uint32(10) {
		all = append(all, tuples.EdgeChange{Key: lies(media+1, 2*(media+1))})
	}
	return small(t, all...)
}

// folders is the column of the folders in which media lie.
func (m *machine) folders() *column {
	return m.index.kinds.of(forwardKey(m.index.kinds.number(packKindOf(lies(1, 1))), lies(1, 1).Object)).column
}

// write commits changes, and publishes them.
func (m *machine) write(changes ...tuples.EdgeChange) {
	revision := m.history.head + 1
	m.history.commit(revision, changes)
	m.index.Apply(revision, changes)
	m.index.Publish(revision)
}

func TestColumnsHoldWhatWasLoaded(t *testing.T) {
	expiring := &tuples.Grant{Expires: noon}
	for _, c := range []struct {
		name string
		all  []tuples.EdgeChange
		want uint32 // of media 4 in its column
	}{
		{"one bare member", []tuples.EdgeChange{{Key: lies(4, 9)}, {Key: lies(3, 1)}}, 9},
		{"one of a fourth", []tuples.EdgeChange{{Key: lies(4, 9)}, {Key: lies(7, 9)}}, 9},
		{"two members", []tuples.EdgeChange{{Key: lies(4, 9)}, {Key: lies(4, 10)}, {Key: lies(3, 1)}}, 0},
		{"a member that expires", []tuples.EdgeChange{{Key: lies(4, 9), Grant: expiring}, {Key: lies(3, 1)}}, 0},
		{"the wildcard", []tuples.EdgeChange{{Key: lies(4, 0)}, {Key: lies(3, 1)}}, 0},
		{"one of too few", []tuples.EdgeChange{{Key: lies(4, 9)}, {Key: lies(8, 9)}}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := small(t, c.all...)
			if got := m.folders().get(4); got != c.want {
				t.Errorf("the column says %d, want %d", got, c.want)
			}
			for i := range c.all {
				if reads := compare(t, m.index, m.history.snapshot(1, noon.Add(-1)), c.all[i].Key, -1, 3); reads != 0 {
					t.Errorf("%d reads went to the store", reads)
				}
			}
		})
	}
}

// A list that changes leaves its column, and readers of the revision before see what was there.
func TestListsLeaveTheirColumns(t *testing.T) {
	for name, changes := range map[string][]tuples.EdgeChange{
		"moved to another folder": {{Op: tuples.OpDelete, Key: lies(4, 8)}, {Op: tuples.OpTouch, Key: lies(4, 9)}},
		"in another one too":      {{Op: tuples.OpTouch, Key: lies(4, 9)}},
		"in none":                 {{Op: tuples.OpDelete, Key: lies(4, 8)}},
		"until noon":              {{Op: tuples.OpTouch, Key: lies(4, 8), Grant: &tuples.Grant{Expires: noon}}},
	} {
		for _, bulk := range []int{bulk, 0} { // in versions, and in place
			m := shelf(t)
			m.index.bulk = bulk
			m.write(changes...)
			if got := m.folders().get(4); got != 0 {
				t.Errorf("%s: the column says %d still", name, got)
			}
			if got := m.folders().get(5); got != 10 {
				t.Errorf("%s: the column says %d of another media", name, got)
			}
			for _, revision := range []tuples.Revision{1, 2} {
				for _, folder := range []uint32{8, 9} {
					reads := compare(t, m.index, m.history.snapshot(revision, noon.Add(-1)), lies(4, folder), -1, 3)
					if reads > 0 && (bulk > 0 || revision == 2) {
						t.Errorf("%s: %d reads of revision %d went to the store", name, reads, revision)
					}
				}
			}
			m.index.raise(m.history.head)
			audit(t, m.index)
		}
	}
}

func TestAWriteThatChangesNothingLeavesTheColumn(t *testing.T) {
	m := shelf(t)
	m.write(tuples.EdgeChange{Op: tuples.OpTouch, Key: lies(4, 8)}, tuples.EdgeChange{Op: tuples.OpDelete, Key: lies(4, 9)})
	if got := m.folders().get(4); got != 8 {
		t.Errorf("the column says %d, want 8", got)
	}
}

// What a column holds of a partition that is dropped stays right: who changes it takes it out.
func TestColumnsOfDroppedPartitions(t *testing.T) {
	m := shelf(t)
	for range partitions {
		p := &m.index.parts[m.index.covered.Add(-1)]
		m.index.lists.Add(-int64(p.bytes))
		p.table.Store(nil)
		p.bytes = 0
	}
	m.write(tuples.EdgeChange{Op: tuples.OpDelete, Key: lies(4, 8)}, tuples.EdgeChange{Op: tuples.OpTouch, Key: lies(4, 9)})
	for _, media := range []uint32{4, 5} {
		compare(t, m.index, m.history.snapshot(2, noon), lies(media, 2*media), -1, 3)
	}
	if got := m.folders().get(5); got != 10 {
		t.Errorf("the column says %d of a media that stays, want 10", got)
	}
	m.index.dropColumns()
	if got := m.index.lists.Load(); got != 0 {
		t.Errorf("nothing takes %d bytes", got)
	}
	compare(t, m.index, m.history.snapshot(2, noon), lies(5, 10), -1, 3)
}

func TestColumnsTakeLessThanTables(t *testing.T) {
	const media = 10_000
	var all []tuples.EdgeChange
	for i := range uint32(media) {
		all = append(all, tuples.EdgeChange{Key: lies(i+1, 1)})
	}
	m := small(t, all...)
	if bytes, most := m.index.Stats().ListBytes, int64(12*media); bytes > most { // 4 of them for the other direction
		t.Errorf("%d media in one folder take %d bytes, want %d at most", media, bytes, most)
	}
}
