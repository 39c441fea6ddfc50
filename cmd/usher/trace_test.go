package main

import (
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
)

// What a server can only tell after a long life: histories that are not there any more.
func TestTracesThatEndEarly(t *testing.T) {
	moment := timestamppb.New(time.Date(2026, 3, 1, 12, 30, 15, 0, time.UTC))
	tuple, err := parseTuple("media:logo#viewer@user:anna")
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		answer *usherv1.TraceAccessResponse
		want   string
	}{
		"the beginning is forgotten": {
			&usherv1.TraceAccessResponse{Older: true, Path: []*usherv1.TracedTuple{{Tuple: tuple, Revision: 4}}},
			"user:anna can_view media:logo since before the history that is kept\n" +
				"  media:logo#viewer@user:anna, of revision 4, before the history that is kept\n",
		},
		"too much has changed since": {
			&usherv1.TraceAccessResponse{Older: true, Since: &usherv1.AccessChange{Time: moment, Revision: 9}},
			"user:anna can_view media:logo at least since 2026-03-01T12:30:15Z (revision 9), " +
				"which is as far as could be looked; --at a time before that looks further\n",
		},
		"the path is cut": {
			&usherv1.TraceAccessResponse{
				Since:       &usherv1.AccessChange{Time: moment, Revision: 9, Caller: "billing"},
				Explanation: &usherv1.Explanation{Truncated: true},
			},
			"user:anna can_view media:logo since 2026-03-01T12:30:15Z (revision 9): granted by billing\nthe path is longer than this\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			test.answer.Outcome = usherv1.Outcome_OUTCOME_ALLOWED
			if got := traceText(test.answer, []string{"user:anna", "can_view", "media:logo"}); got != test.want {
				t.Errorf("got:\n%swant:\n%s", got, test.want)
			}
		})
	}
}
