package server_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	medialibrary "github.com/usher-authz/usher/bench/library"
	"github.com/usher-authz/usher/examples"
	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/server"
	"github.com/usher-authz/usher/server/wire"
	"github.com/usher-authz/usher/tuples/bolt"
)

// benchLibrary is a media library as messages of 1,000 rows.
func benchLibrary(size int) (messages []*usherv1.ImportRequest, rows int) {
	batch := &usherv1.ImportRows{}
	flush := func() {
		messages = append(messages, &usherv1.ImportRequest{Message: &usherv1.ImportRequest_Rows{Rows: batch}})
		batch = &usherv1.ImportRows{}
	}
	for t := range medialibrary.New(1, size).Tuples() {
		if rows++; len(batch.Tuples) == 1000 {
			flush()
		}
		batch.Tuples = append(batch.Tuples, wire.FromTuple(t))
	}
	flush()
	return messages, rows
}

// BenchmarkImport imports a media library of 200,000 tuples into a new database, durably. It
// reports tuples per second, the client's share of the work included, and bytes of file for
// each tuple.
func BenchmarkImport(b *testing.B) {
	messages, rows := benchLibrary(200_000)
	var bytes int64
	for b.Loop() {
		b.StopTimer()
		path := filepath.Join(b.TempDir(), "usher.db")
		w := benchImporter(b, path, server.Options{})
		b.StartTimer()
		if err := importAll(b.Context(), w, &usherv1.ImportHeader{CheckpointRows: 100_000}, messages); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		info, err := os.Stat(path)
		if err != nil {
			b.Fatal(err)
		}
		bytes += info.Size()
		b.StartTimer()
	}
	b.ReportMetric(float64(rows*b.N)/b.Elapsed().Seconds(), "tuples/s")
	b.ReportMetric(float64(bytes)/float64(rows*b.N), "B/tuple")
}

// benchImporter serves a new database with fsync, and with the library's model in force.
func benchImporter(b *testing.B, path string, options server.Options) *world {
	db, err := bolt.Open(path, bolt.Options{CollectEvery: -1})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	if _, err := db.CreateStore(b.Context(), server.DefaultStore); err != nil {
		b.Fatal(err)
	}
	w := serve(b, db, options)
	w.writeModel(examples.MediaLibrary().Model.DSL)
	return w
}

// importAll sends messages as fast as they are taken, and reads the answers meanwhile.
func importAll(ctx context.Context, w *world, header *usherv1.ImportHeader, messages []*usherv1.ImportRequest) error {
	stream, err := w.tuples.Import(ctx)
	if err != nil {
		return err
	}
	sent := make(chan error, 1)
	go func() {
		err := stream.Send(&usherv1.ImportRequest{Message: &usherv1.ImportRequest_Header{Header: header}})
		for i := 0; err == nil && i < len(messages); i++ {
			err = stream.Send(messages[i])
		}
		sent <- errors.Join(err, stream.CloseSend())
	}()
	for {
		if _, err := stream.Recv(); errors.Is(err, io.EOF) {
			return <-sent
		} else if err != nil {
			return err
		}
	}
}
