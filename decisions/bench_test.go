package decisions

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// BenchmarkRecord is what the writer makes of a queue that is never empty: decisions about
// 10,000 files and 1,000 users, in groups of 5,000, with fsync.
func BenchmarkRecord(b *testing.B) {
	path := filepath.Join(b.TempDir(), "decisions.db")
	l, err := Open(path, Options{Required: true})
	if err != nil {
		b.Fatal(err)
	}
	const group = 5_000
	list := make([]Decision, group)
	for recorded := 0; b.Loop(); {
		for i := range list {
			list[i] = decided(b, recorded/1_000, fmt.Sprintf("allowed: user:%d can_download media:%d", recorded%997, recorded%9_973))
			recorded++
		}
		l.record(b, list...)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*group), "ns/decision")
	if err := l.Close(); err != nil {
		b.Fatal(err)
	}
	file, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(file.Size())/float64(b.N*group), "bytes/decision")
}
