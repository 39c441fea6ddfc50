package tuplefile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/usher-authz/usher/tuples"
)

// What a tuple says beyond its identity, in the forms that csv and openfga share.

// malformed returns the error of a row whose form is wrong, as cause says.
func malformed(row []byte, reason string, cause error, remedy string) error {
	return fmt.Errorf("%q %s: %s; %s", tuples.Shorten(string(row)), reason, inWords(cause), remedy)
}

// maxCause is how many bytes of a library's words an error repeats: they can quote a value
// that is as long as the row.
const maxCause = 160

// inWords returns what a library found wrong, in words for those who know the file and not
// this program.
func inWords(cause error) string {
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](cause); ok { // its own words name types of Go
		if wrong.Field == "" {
			return "unexpected " + wrong.Value
		}
		return fmt.Sprintf("unexpected %s as %s", wrong.Value, wrong.Field)
	}
	words := cause.Error()
	for _, prefix := range []string{"proto:\u00a0", "proto: ", "json: ", "yaml: "} { // protobuf varies its blank
		words = strings.TrimPrefix(words, prefix)
	}
	words = strings.Replace(words, "(line 1:", "(column ", 1) // protobuf's, of the row
	if len(words) > maxCause {
		words = strings.ToValidUTF8(words[:maxCause], "") + "…"
	}
	return words
}

// parseExpires reads a point in time.
func parseExpires(text string) (time.Time, error) {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return at, tuples.Invalid("expires", text, "is not a time", "write RFC 3339, as in 2026-12-31T23:59:59Z")
	}
	return at.UTC().Truncate(time.Millisecond), nil
}

// parseContext reads the values of a condition.
func parseContext(text string) (tuples.Context, error) {
	var context tuples.Context
	if err := json.Unmarshal([]byte(text), &context); err != nil {
		return nil, notObject("condition_context", text, err)
	}
	return context, nil
}

// parseAttributes reads attributes. A number without fraction and exponent is an int.
func parseAttributes(text string) (tuples.Attributes, error) {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var values map[string]any
	if err := decodeAll(decoder, &values); err != nil {
		return nil, notObject("attributes", text, err)
	}
	return tuples.AttributesFromJSON(values)
}

func notObject(field, text string, cause error) error {
	return tuples.Invalid(field, text, "is not a JSON object: "+inWords(cause), `write an object, as in {"name": 1}`)
}

// decodeAll reads one JSON value, behind which nothing may follow.
func decodeAll(decoder *json.Decoder, target any) error {
	if err := decoder.Decode(target); err != nil {
		return err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the value")
	}
	return nil
}

// marshal writes JSON that people can read: without escapes for HTML.
func marshal(value any) ([]byte, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(value)
	return bytes.TrimSuffix(text.Bytes(), []byte("\n")), err
}
