package examples_test

import (
	"testing"

	"github.com/usher-authz/usher/check"
	"github.com/usher-authz/usher/check/reference"
	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/scenario"
	"github.com/usher-authz/usher/server/wire"
	"github.com/usher-authz/usher/tuples"
)

// restrict answers over the API in the form of [scenario.FormatAttributes].
func (r remote) restrict(q scenario.Attributes) string {
	request := checkRequest(q.Question, nil)
	request.ContextualTuples, request.Context, request.WithAttributes = r.contextual, r.context, true
	response, err := r.client.Check(r.t.Context(), request)
	if err != nil {
		r.t.Fatalf("%s: %v", q, err)
	}
	answer := r.answer(response.GetOutcome(), response.GetMissingContext())
	if answer.Outcome != reference.Allowed {
		return scenario.FormatAnswer(string(answer.Outcome), answer.Missing)
	}
	var sets []string
	for _, message := range response.GetAttributes() {
		var set check.AttributeSet
		for _, a := range message.GetAttributes() {
			set = append(set, check.Attribute{Name: a.GetName(), Value: wire.ToValue(a.GetValue())})
		}
		sets = append(sets, scenario.FormatAttributeSet(set))
	}
	return scenario.FormatAttributes(sets)
}

// D9: whatever one set of an answer offers can be had, and no mixture of two.
func TestEachSetCanBeHad(t *testing.T) {
	connection := serve(t, openDatabase(t, clockReading))
	upload(t, connection, find(t, "portal-visibility"))
	permissions := usherv1.NewPermissionServiceClient(connection)
	least := tuples.Context{"kind": "image", "size": 0.0, "clean_jpeg": false}
	request := checkRequest(parseQuestion(t, "user:kari can_download file:gala-toast"), least)
	request.WithAttributes = true
	answer, err := permissions.Check(t.Context(), request)
	if err != nil || len(answer.GetAttributes()) != 2 {
		t.Fatalf("%v, %v, want two sets", answer.GetAttributes(), err)
	}
	ask := func(size int64, clean bool) usherv1.Outcome {
		asked := tuples.Context{"kind": "image", "size": float64(size), "clean_jpeg": clean}
		delivered, err := permissions.Check(t.Context(), checkRequest(parseQuestion(t, "user:kari can_download file:gala-toast"), asked))
		if err != nil {
			t.Fatal(err)
		}
		return delivered.GetOutcome()
	}
	var largest int64
	for _, set := range answer.GetAttributes() {
		size, clean := int64(0), true
		for _, a := range set.GetAttributes() {
			switch a.GetName() {
			case "max_image_size":
				size = a.GetValue().GetIntValue()
			case "watermark":
				clean = !a.GetValue().GetBoolValue()
			}
		}
		largest = max(largest, size)
		if got := ask(size, clean); got != usherv1.Outcome_OUTCOME_ALLOWED {
			t.Errorf("an image of %d pixels, without a watermark %t: %s, want allowed", size, clean, got)
		}
	}
	if got := ask(largest, true); got != usherv1.Outcome_OUTCOME_DENIED {
		t.Errorf("an image of %d pixels without a watermark: %s, want denied", largest, got)
	}
}

func checkRequest(q scenario.Question, context tuples.Context) *usherv1.CheckRequest {
	return &usherv1.CheckRequest{
		Object: wire.FromObject(q.On.Object), Relation: string(q.On.Relation), Subject: wire.FromSubject(q.Subject),
		Context: wire.FromContext(context),
	}
}
