package bolt

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	bbolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

const (
	// mapSize is the address space reserved for the file. Growing beyond it waits for
	// every reader; reserving costs no memory.
	mapSize = 64 << 30
	// growStep is by how much the file grows. Each step costs a sync of its size; bbolt's 16 MiB
	// would be 16 bytes for each of a million tuples.
	growStep = 1 << 20
	// lockTimeout is how long Open waits for another process to let go of the file.
	lockTimeout = time.Second
)

// openFile opens the file, and makes it durable that there is one.
func openFile(path string, options Options) (*bbolt.DB, error) {
	file, err := openBolt(path, &bbolt.Options{
		Timeout:         lockTimeout,
		NoSync:          options.NoSync,
		InitialMmapSize: mapSize,
		// The array freelist has no record of corruption; the map has, in a peer's migrations.
		FreelistType: bbolt.FreelistArrayType,
		NoStatistics: true,
		OpenFile:     options.openFile,
	})
	switch {
	case errors.Is(err, berrors.ErrTimeout):
		return nil, fmt.Errorf("open database %s: another process holds the file; stop it or choose another file", path)
	case errors.Is(err, berrors.ErrInvalid), errors.Is(err, berrors.ErrVersionMismatch), errors.Is(err, berrors.ErrChecksum), errors.Is(err, errDamaged):
		return nil, fmt.Errorf("open database %s: not an Usher database, or damaged: %w; choose another file or restore a backup", path, err)
	case err != nil:
		return nil, fmt.Errorf("open database %s: %w", path, err)
	}
	file.AllocSize = growStep
	file.NoFreelistSync = true // until Close, see docs/decisions/0018
	if !options.NoSync {
		if err := syncFolder(filepath.Dir(path)); err != nil {
			return nil, errors.Join(fmt.Errorf("open database %s: %w", path, err), file.Close())
		}
	}
	return file, nil
}

// openBolt is [bbolt.Open]. A file that was not closed has no list of its free pages: bbolt
// looks for them in the whole file then, and panics where that makes no sense. It holds the
// file on after that, and the goroutine that looked: who calls is to end the process.
func openBolt(path string, options *bbolt.Options) (file *bbolt.DB, err error) {
	defer func() {
		if p := recover(); p != nil {
			file, err = nil, fmt.Errorf("%w: %v", errDamaged, p)
		}
	}()
	return bbolt.Open(path, 0o600, options)
}

// syncFolder makes the entry of a new file durable, which bbolt leaves out.
func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
