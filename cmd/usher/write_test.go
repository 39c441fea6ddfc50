package main

import (
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
)

// Tuples are cut into requests by their number and by their size; none gets lost.
func TestInRequests(t *testing.T) {
	tuples := func(n, idBytes int) []placedTuple {
		tuple := &usherv1.Tuple{Object: &usherv1.Object{Type: "media", Id: strings.Repeat("x", idBytes)}}
		return slices.Repeat([]placedTuple{{tuple: tuple}}, n)
	}
	for _, c := range []struct {
		name   string
		tuples []placedTuple
		want   []int
	}{
		{"one", tuples(1, 10), []int{1}},
		{"as many as a request holds", tuples(10_000, 10), []int{10_000}},
		{"one more", tuples(10_001, 10), []int{10_000, 1}},
		{"too large together", tuples(7, 5<<20), []int{2, 2, 2, 1}},
		{"one too large alone", tuples(2, 13<<20), []int{1, 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var sizes []int
			for _, part := range inRequests(c.tuples) {
				sizes = append(sizes, len(part))
				request := &usherv1.WriteRequest{Updates: updates(usherv1.Operation_OPERATION_TOUCH, part)}
				if size := proto.Size(request); len(part) > 1 && size > 16<<20 {
					t.Errorf("a request of %d tuples has %d bytes", len(part), size)
				}
			}
			if !slices.Equal(sizes, c.want) {
				t.Errorf("got %v, want %v", sizes, c.want)
			}
		})
	}
}
