package server_test

import (
	"errors"
	"io"
	"testing"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/server"
)

// BenchmarkExport exports a media library of 200,000 tuples. It reports tuples per second,
// the client's share of the work included.
func BenchmarkExport(b *testing.B) {
	messages, _ := benchLibrary(200_000)
	w := benchImporter(b, b.TempDir()+"/usher.db", server.Options{})
	if err := importAll(b.Context(), w, &usherv1.ImportHeader{}, messages); err != nil {
		b.Fatal(err)
	}
	seen := 0
	for b.Loop() {
		stream, err := w.tuples.Export(b.Context(), &usherv1.ExportRequest{})
		if err != nil {
			b.Fatal(err)
		}
		for {
			message, err := stream.Recv()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				b.Fatal(err)
			}
			seen += len(message.GetTuples())
		}
	}
	b.ReportMetric(float64(seen)/b.Elapsed().Seconds(), "tuples/s")
}
