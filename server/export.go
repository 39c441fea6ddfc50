package server

import (
	"google.golang.org/grpc"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/tuples"
)

// Export implements usher.v1.TupleService. It is a Read of everything, in larger messages.
func (s *tupleService) Export(r *usherv1.ExportRequest, stream grpc.ServerStreamingServer[usherv1.ExportResponse]) error {
	ctx := stream.Context()
	h, p, err := s.resume(ctx, r)
	if err != nil {
		return err
	}
	after, err := afterTuple(tuples.Filter{}, p.after)
	if err != nil {
		return err
	}
	v, err := s.openPlace(ctx, h, p, r.GetConsistency())
	if err != nil {
		return err
	}
	defer v.close()
	token, next := v.newToken(), s.nextCursor(v, "", p.query)
	return batches[*usherv1.Tuple]{
		limit: int(r.GetPageSize()),
		items: exportItems,
		send: func(page []*usherv1.Tuple, more bool) error {
			return stream.Send(&usherv1.ExportResponse{Tuples: page, Cursor: next, More: more, Token: token, Revision: v.revision()})
		},
	}.run(fromRead(v.read(ctx, tuples.Filter{}, after), next, p.after))
}
