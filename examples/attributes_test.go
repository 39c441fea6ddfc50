package examples_test

import (
	"strings"
	"testing"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/scenario"
	"github.com/usher-authz/usher/server/wire"
	"github.com/usher-authz/usher/tuples"
)

// restricted is a question, and the restrictions that an allowed answer comes with: sets
// that the caller may choose from, separated by " | ".
type restricted struct {
	name, question string
	context        tuples.Context
	with           string // a contextual tuple
	want           string
}

// The least that there is to download: it tells what may be had at all.
var (
	anyImage = tuples.Context{"kind": "image", "size": 0.0, "clean_jpeg": false, "proofs": []any{}}
	image500 = tuples.Context{"kind": "image", "size": 500.0, "clean_jpeg": true, "proofs": []any{}}
	proof    = tuples.Context{"kind": "image", "size": 0.0, "clean_jpeg": false, "proofs": []any{"radio-2"}}
	oldProof = tuples.Context{"kind": "image", "size": 0.0, "clean_jpeg": false, "proofs": []any{"radio-1"}}
)

// downloads show what portal users are told of the limits to their downloads.
var downloads = []restricted{
	{"D9 large with a watermark, or small without: two sets, never mixed", "user:kari can_download file:gala-toast", anyImage, "",
		"max_image_size=800 max_video_size=480 | max_image_size=2048 max_video_size=1080 watermark=true"},
	{"D9 what rules a grant out takes its set along", "user:kari can_download file:gala-toast", image500, "",
		"max_image_size=800 max_video_size=480"},
	{"D9 everybody is limited", "user:* can_download file:brochure-cover", anyImage, "", "max_image_size=1200 watermark=true"},
	{"D9 originals allow all, though everybody is limited", "user:arne can_download file:brochure-cover", anyImage, "", "unrestricted"},
	{"D9 no limit to images, one to videos", "user:ola can_download container:gala", anyImage, "container:gala#native@container:gala", "max_video_size=720"},
	{"D9 whoever may view asks for no size", "user:kari can_view file:gala-toast", nil, "", "unrestricted"},
	{"D9 a limit of the group beside one of the share", "user:kari can_download file:gala-toast", anyImage,
		`group:fjordbank#member@address:kari@fjordbank.example#account attributes {"max_image_size":1024}`,
		"max_image_size=800 max_video_size=480 | max_image_size=1024 max_video_size=1080 watermark=true"},
	{"D4 a password opens all that it guards", "user:* can_download file:aria-clip", proof, "", "unrestricted"},
	{"D4, D9 a password may open less than the original", "user:* can_download file:aria-clip", proof,
		`container:radio#download_password@user:* with password_presented {"secret_id":"radio-2"} attributes {"max_image_size":640}`, "max_image_size=640"},
	{"D4 the old password opens nothing", "user:* can_download file:aria-clip", oldProof, "", "none"},
	{"D4 a password that nobody was asked for", "user:* can_download file:aria-clip", nil, "", "none"},
	{"D12 staff", "user:ingvild can_download file:gala-toast", nil, "", "unrestricted"},
}

func TestDownloadsTellTheirLimits(t *testing.T) {
	connection := serve(t, openDatabase(t, clockReading))
	upload(t, connection, find(t, "portal-visibility"))
	permissions := usherv1.NewPermissionServiceClient(connection)
	for _, d := range downloads {
		t.Run(d.name, func(t *testing.T) {
			request := checkRequest(parseQuestion(t, d.question), d.context)
			request.WithAttributes = true
			if d.with != "" {
				tuple, err := tuples.ParseTuple(d.with)
				if err != nil {
					t.Fatal(err)
				}
				request.ContextualTuples = []*usherv1.Tuple{wire.FromTuple(tuple)}
			}
			answer, err := permissions.Check(t.Context(), request)
			if err != nil {
				t.Fatal(err)
			}
			if got := setTexts(answer.GetAttributes()); got != d.want {
				t.Errorf("%s: %s, restricted to %s, want %s", d.question, answer.GetOutcome(), got, d.want)
			}
		})
	}
}

// D9: whatever one set of an answer offers can be had, and no mixture of two.
func TestEachSetCanBeHad(t *testing.T) {
	connection := serve(t, openDatabase(t, clockReading))
	upload(t, connection, find(t, "portal-visibility"))
	permissions := usherv1.NewPermissionServiceClient(connection)
	request := checkRequest(parseQuestion(t, "user:kari can_download file:gala-toast"), anyImage)
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

func setTexts(sets []*usherv1.AttributeSet) string {
	if len(sets) == 0 {
		return "none"
	}
	texts := make([]string, len(sets))
	for i, set := range sets {
		var parts []string
		for _, a := range set.GetAttributes() {
			parts = append(parts, a.GetName()+"="+wire.ToValue(a.GetValue()).String())
		}
		if texts[i] = strings.Join(parts, " "); texts[i] == "" {
			texts[i] = "unrestricted"
		}
	}
	return strings.Join(texts, " | ")
}
