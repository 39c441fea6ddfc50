package bolt

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/usher-authz/usher/tuples"
	"github.com/usher-authz/usher/tuples/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, storetest.Engine{
		Open: func(dir string, clock func() time.Time) (tuples.Database, error) {
			return Open(filepath.Join(dir, "usher.db"), Options{
				Retention: storetest.Retention, CollectEvery: -1, Clock: clock, NoSync: true,
			})
		},
		Collect: func(ctx context.Context, db tuples.Database) error { return db.(*DB).Collect(ctx) },
	})
}
