package main

import (
	"errors"
	"fmt"
	"io"
	"time"

	"google.golang.org/grpc"
)

// streamed is what rounds of one request came to.
type streamed struct {
	items, rounds int
	elapsed, cpu  time.Duration
}

// measureStream reads a stream again and again; ask returns how many items it had.
func measureStream(s settings, server *process, ask func() (int, error)) (streamed, error) {
	if _, err := ask(); err != nil { // the first reads the file
		return streamed{}, err
	}
	before, err := server.cpu()
	if err != nil {
		return streamed{}, err
	}
	m := streamed{rounds: s.rounds}
	start := time.Now()
	for range s.rounds {
		if m.items, err = ask(); err != nil {
			return m, err
		}
	}
	m.elapsed = time.Since(start)
	after, err := server.cpu()
	m.cpu = after - before
	return m, err
}

// drain reads a stream to its end and counts its items.
func drain[M, I any](stream grpc.ServerStreamingClient[M], err error, items func(*M) []I) (count int, _ error) {
	for err == nil {
		var message *M
		if message, err = stream.Recv(); err == nil {
			count += len(items(message))
		}
	}
	if !errors.Is(err, io.EOF) {
		return count, err
	}
	if count == 0 {
		return 0, errors.New("the stream has no items")
	}
	return count, nil
}

// String returns times for one request.
func (m streamed) String() string {
	return fmt.Sprintf("%.0f ms, %.0f ms server CPU", ms(m.elapsed)/float64(m.rounds), ms(m.cpu)/float64(m.rounds))
}

// per returns times for one request, and for each of the things that it reads.
func (m streamed) per(things int, name string) string {
	each := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1000 / float64(m.rounds*things) }
	return fmt.Sprintf("%v; per %s %.2f µs, %.2f µs server CPU", m, name, each(m.elapsed), each(m.cpu))
}
