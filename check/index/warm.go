package index

import (
	"context"
	"errors"
	"fmt"

	"github.com/usher-authz/usher/tuples"
)

var (
	errClosed  = errors.New("the index is closed")
	errStopped = errors.New("the load was given up")
)

// Warm has an index that is not loaded follow a store, and loads it. Questions are answered
// from the store meanwhile. An error, for example the context's, leaves the index knowing
// nothing, and Warm can be called again; a store that was written to faster than it could be
// read is one too. It returns how many tuples were read.
func (x *Index) Warm(ctx context.Context, store tuples.Store) (read int, err error) {
	if err := x.begin(); err != nil {
		return 0, err
	}
	defer func() {
		if err != nil {
			x.giveUp()
		}
	}()
	snapshot, err := store.Follow(ctx, x)
	if err != nil {
		return 0, err
	}
	defer snapshot.Close()
	x.hear(snapshot.Revision())
	loader := x.Load(snapshot.Revision())
	err = snapshot.EachName(ctx, func(n tuples.Node, o tuples.Object) error {
		loader.Name(n, o)
		return nil
	})
	if err != nil {
		return 0, err
	}
	err = snapshot.EachEdge(ctx, func(key tuples.EdgeKey, grant *tuples.Grant) error {
		read++
		return loader.Add(key, grant)
	})
	if err != nil {
		return 0, err
	}
	return read, loader.Finish()
}

// begin empties the lists and has the index keep what it is fed from now on.
func (x *Index) begin() error {
	x.writing.Lock()
	defer x.writing.Unlock()
	if errors.Is(x.lost, errClosed) {
		return x.lost
	}
	if x.floor.Load() != notLoaded {
		return errors.New("the index is loaded already")
	}
	x.forget(nil)
	x.clear()
	x.loading, x.deaf = true, true
	for _, c := range x.closures {
		c.all.Store(notLoaded)
	}
	return nil
}

// giveUp lets go of what has been loaded, but for names and masks: they are right and may
// stay.
func (x *Index) giveUp() {
	x.writing.Lock()
	defer x.writing.Unlock()
	if x.lost == nil {
		x.forget(errStopped)
	}
	x.clear()
	x.loading = false
	x.fit()
}

// clear empties all partitions and columns.
func (x *Index) clear() {
	x.dropColumns()
	empty := &table{}
	for i := range x.parts {
		x.parts[i].bytes = 0
		x.parts[i].table.Store(empty)
	}
	x.lists.Store(0)
	x.covered.Store(partitions)
}

// hear says that every commit behind a revision is fed, though not all of those before are:
// closures of before count no more. While it was not known where that begins none counted, since
// a commit behind it can be published before [Index.Warm] hears where it began.
func (x *Index) hear(revision tuples.Revision) {
	x.writing.Lock()
	defer x.writing.Unlock()
	x.deaf = false
	for _, c := range x.closures {
		c.all.Store(uint64(max(revision, x.applied)))
	}
}

// keep puts a commit aside for the end of a load. They may take as much memory as the undo
// may: a load that is slower than that is given up.
func (x *Index) keep(c commit) {
	if x.lost != nil {
		return
	}
	x.waiting = append(x.waiting, c)
	if x.queued.Add(int64(len(c.changes))*sizeOfChange+sizeOfCommit) > x.undoRoom() {
		x.forget(fmt.Errorf("more was written during the load than %d bytes can hold", x.undoRoom()))
	}
}

const (
	sizeOfChange = 48
	sizeOfCommit = 32
)

// forget lets go of what waits, and says why no more is kept.
func (x *Index) forget(why error) {
	x.waiting, x.lost = nil, why
	x.queued.Store(0)
}

// open makes the index readable from a revision on.
func (x *Index) open(revision tuples.Revision) error {
	if err := x.catchUp(revision); err != nil {
		return fmt.Errorf("load index at revision %d: %w", revision, err)
	}
	x.over()
	return nil
}

func (x *Index) catchUp(revision tuples.Revision) error {
	x.writing.Lock()
	defer x.writing.Unlock()
	if x.lost != nil {
		return x.lost
	}
	for _, c := range x.waiting {
		if c.revision > revision {
			x.apply(c.revision, c.changes, revision)
		}
	}
	x.forget(nil)
	x.loading = false
	x.loaded = revision
	x.head.Store(max(x.head.Load(), uint64(revision)))
	x.names.whole.Store(true)
	x.floor.Store(uint64(revision)) // last: it lets readers in
	x.trim(x.undoRoom(), x.applied)
	return nil
}
