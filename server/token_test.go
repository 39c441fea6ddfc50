package server

import (
	"encoding/base64"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/tuples"
)

// sealing is a server that can do nothing but read and make tokens.
func sealing(secret byte) *Server {
	return &Server{
		tokens:  newSealer([32]byte{secret}, "token"),
		cursors: newSealer([32]byte{secret}, "cursor"),
	}
}

func handleOf(s *Server, id tuples.StoreID, epoch uint64) *handle {
	return &handle{info: tuples.StoreInfo{ID: id, Epoch: epoch}, tokens: s.tokens}
}

// The text of a token is a format that clients keep: it must not change unseen.
func TestGoldenToken(t *testing.T) {
	s := sealing(1)
	h := handleOf(s, "01ARZ3NDEKTSV4RRFFQ69G5FAV", 7)
	const want = "ARowMUFSWjNOREVLVFNWNFJSRkZRNjlHNUZBVgAAAAAAAAAHrAL70JX_vDHTSDaxLu1jfz1JuuVZp-HL"
	if got := h.tokenFor(300, 1_700_000_000_123); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestTokenRoundTrip(t *testing.T) {
	s := sealing(1)
	rapid.Check(t, func(t *rapid.T) {
		h := handleOf(s, tuples.StoreID(rapid.StringN(0, 20, 60).Draw(t, "store")), rapid.Uint64().Draw(t, "epoch"))
		want := h.stamp(tuples.Revision(rapid.Uint64().Draw(t, "revision")), rapid.Int64().Draw(t, "time"))
		text := h.tokenFor(want.revision, want.time)
		if got, err := s.readToken(h, "token", text); err != nil || got != want {
			t.Fatalf("got %v, %v, want %v", got, err, want)
		}
		if again := h.tokenFor(want.revision, want.time); again != text {
			t.Fatalf("made again: %s, then %s", text, again)
		}
	})
}

func TestCursorRoundTrip(t *testing.T) {
	s := sealing(1)
	rapid.Check(t, func(t *rapid.T) {
		info := tuples.StoreInfo{ID: tuples.StoreID(rapid.StringN(0, 20, 60).Draw(t, "store")), Epoch: rapid.Uint64().Draw(t, "epoch")}
		want := cursor{
			stamp: stamp{store: info.ID, epoch: info.Epoch, revision: tuples.Revision(rapid.Uint64().Draw(t, "revision")), time: rapid.Int64().Draw(t, "time")},
			model: tuples.ModelID(rapid.StringN(0, 20, 60).Draw(t, "model")),
			query: queryHash(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "query")),
			leaf:  rapid.IntRange(0, 1<<20).Draw(t, "leaf"),
			after: rapid.String().Draw(t, "after"),
		}
		if got, err := s.readCursor(info, "cursor", s.sealCursor(want), want.query); err != nil || got != want {
			t.Fatalf("got %v, %v, want %v", got, err, want)
		}
	})
}

// What another database, another kind of text or another hand has made is refused.
func TestForgedTokens(t *testing.T) {
	s := sealing(1)
	h := handleOf(s, "store", 1)
	token := h.tokenFor(5, 6)
	sealed, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		t.Fatal(err)
	}
	newer := s.tokens.mac(append([]byte{tokenVersion + 1}, sealed[1:len(sealed)-macBytes]...))
	other := append([]byte{tokenVersion + 1}, sealed[1:len(sealed)-macBytes]...)
	for name, text := range map[string]string{
		"of another database": handleOf(sealing(2), "store", 1).tokenFor(5, 6),
		"a cursor":            s.sealCursor(cursor{stamp: h.stamp(5, 6)}),
		"nothing":             "",
		"cut":                 token[:len(token)-1],
		"padded":              token + "=",
		"longer":              token + "AAAA",
		"in two lines":        token[:8] + "\n" + token[8:],
		"of another version":  base64.RawURLEncoding.EncodeToString(append(other, newer...)),
		"sealed, but short":   s.tokens.seal([]byte{200, 'x'}),
		"sealed, but long":    s.tokens.seal(append(h.stamp(5, 6).append(nil), 0)),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := s.readToken(h, "token", text)
			if f := failureOf(err); err == nil || f.reason != usherv1.ErrorReason_ERROR_REASON_FORGED_TOKEN || f.violations[0].Field != "token" {
				t.Errorf("got %v", err)
			}
		})
	}
	for i := range len(sealed) * 8 {
		flipped := append([]byte{}, sealed...)
		flipped[i/8] ^= 1 << (i % 8)
		if _, err := s.readToken(h, "token", base64.RawURLEncoding.EncodeToString(flipped)); err == nil {
			t.Errorf("bit %d can be changed", i)
		}
	}
}

func TestForeignTokens(t *testing.T) {
	s := sealing(1)
	token := handleOf(s, "store", 1).tokenFor(5, 6)
	for _, c := range []struct {
		name string
		h    *handle
		want string
	}{
		{"another store", handleOf(s, "other", 1), "is of another store"},
		{"before a restore", handleOf(s, "store", 2), "is of this store before it was restored"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := s.readToken(c.h, "token", token)
			if f := failureOf(err); err == nil || f.reason != usherv1.ErrorReason_ERROR_REASON_FOREIGN_TOKEN || f.violations[0].Reason != c.want {
				t.Errorf("got %v", err)
			}
		})
	}
}

// No text that a client can send breaks the readers, and none but their own is read.
func FuzzTokens(f *testing.F) {
	s := sealing(1)
	h := handleOf(s, "store", 1)
	f.Add(h.tokenFor(5, 6))
	f.Add(s.sealCursor(cursor{stamp: h.stamp(5, 6), model: "m", after: "media:logo"}))
	f.Add(strings.Repeat("A", 100))
	f.Fuzz(func(t *testing.T, text string) {
		if at, err := s.readToken(h, "token", text); err == nil && h.tokenFor(at.revision, at.time) != text {
			t.Errorf("%q is another text of token %v", text, at)
		}
		if c, err := s.unsealCursor("cursor", text); err == nil && s.sealCursor(c) != text {
			t.Errorf("%q is another text of cursor %v", text, c)
		}
	})
}

// Whatever a seal has authenticated, its reader does not break: a later version of the
// server may have written it.
func FuzzSealedPayloads(f *testing.F) {
	s := sealing(1)
	h := handleOf(s, "store", 1)
	f.Add(h.stamp(5, 6).append(nil))
	f.Add([]byte{255})
	f.Fuzz(func(t *testing.T, data []byte) {
		if at, err := s.readToken(h, "token", s.tokens.seal(data)); err == nil && at.store != "store" {
			t.Errorf("read a token of %q", at.store)
		}
		c, err := s.unsealCursor("cursor", s.cursors.seal(data))
		if err == nil && utf8.ValidString(string(data)) && !strings.HasSuffix(string(data), c.after) {
			t.Errorf("the place %q is not of %q", c.after, data)
		}
	})
}
