package server

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"hash"
	"strings"
	"sync"
	"time"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/tuples"
)

// A consistency token, before base64url:
//
//	version(1) | stamp | mac(16)
//	stamp = store(length 1, text) epoch(8) revision(uvarint) time ms(uvarint)
//
// The MAC is HMAC-SHA256 over all before it, cut to 16 bytes, under a key that is
// derived from the database's token key, another one for cursors.

// stamp names a state: a store in one of its epochs, a revision, a clock reading.
type stamp struct {
	store    tuples.StoreID
	epoch    uint64
	revision tuples.Revision
	time     int64 // Unix milliseconds
}

func (s stamp) at() tuples.At {
	return tuples.At{Revision: s.revision, Time: time.UnixMilli(s.time).UTC()}
}

const (
	tokenVersion = 1
	macBytes     = 16
	// maxSealedBytes bounds the text of tokens and cursors: the key of a tuple, which a
	// cursor of Expand holds, has less than 3 KiB.
	maxSealedBytes = 8 << 10
)

// Why a text is refused. Neither says more than a forger knows.
var (
	errForged  = errors.New("token or cursor was not made by this server, or was changed")
	errVersion = errors.New("token or cursor is of another version of the server")
)

// sealer makes texts that nobody else can make.
type sealer struct {
	macs sync.Pool // of [hash.Hash]: a state that is used again need not hash the key again
}

// newSealer derives a key for one purpose.
func newSealer(secret [32]byte, purpose string) *sealer {
	key, err := hkdf.Key(sha256.New, secret[:], nil, "usher "+purpose, sha256.Size)
	if err != nil {
		panic(err) // only lengths beyond 255 hashes fail
	}
	return &sealer{macs: sync.Pool{New: func() any { return hmac.New(sha256.New, key) }}}
}

// seal returns payload with version and MAC as text.
func (s *sealer) seal(payload []byte) string {
	sealed := append([]byte{tokenVersion}, payload...)
	return base64.RawURLEncoding.EncodeToString(append(sealed, s.mac(sealed)...))
}

// unseal returns the payload of a text that seal made.
func (s *sealer) unseal(text string) ([]byte, error) {
	if len(text) > maxSealedBytes || strings.ContainsAny(text, "\r\n") { // which the decoder skips
		return nil, errForged
	}
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(sealed) < 1+macBytes {
		return nil, errForged
	}
	end := len(sealed) - macBytes
	if !hmac.Equal(sealed[end:], s.mac(sealed[:end])) {
		return nil, errForged
	}
	if sealed[0] != tokenVersion {
		return nil, errVersion
	}
	return sealed[1:end], nil
}

func (s *sealer) mac(data []byte) []byte {
	h := s.macs.Get().(hash.Hash)
	defer s.macs.Put(h)
	h.Reset()
	h.Write(data)
	return h.Sum(nil)[:macBytes]
}

func (s stamp) append(b []byte) []byte {
	b = appendText(b, string(s.store))
	b = binary.BigEndian.AppendUint64(b, s.epoch)
	b = binary.AppendUvarint(b, uint64(s.revision))
	return binary.AppendUvarint(b, uint64(s.time))
}

// appendText appends a text of 255 bytes at most with its length.
func appendText(b []byte, text string) []byte {
	return append(append(b, byte(len(text))), text...)
}

// payload reads what a sealer has authenticated.
type payload struct {
	rest []byte
	bad  bool
}

func (p *payload) bytes(n int) []byte {
	if n > len(p.rest) {
		p.bad = true
		return make([]byte, n)
	}
	b := p.rest[:n]
	p.rest = p.rest[n:]
	return b
}

func (p *payload) text() string { return string(p.bytes(int(p.bytes(1)[0]))) }

func (p *payload) uvarint() uint64 {
	v, n := binary.Uvarint(p.rest)
	if n <= 0 {
		p.bad = true
		return 0
	}
	p.rest = p.rest[n:]
	return v
}

func (p *payload) stamp() stamp {
	return stamp{
		store:    tuples.StoreID(p.text()),
		epoch:    binary.BigEndian.Uint64(p.bytes(8)),
		revision: tuples.Revision(p.uvarint()),
		time:     int64(p.uvarint()),
	}
}

// readToken returns the state that a token of this store names. field is its path in
// the request.
func (s *Server) readToken(h *handle, field, text string) (stamp, error) {
	data, err := s.tokens.unseal(text)
	if err != nil {
		return stamp{}, refuseSealed(field, text, err)
	}
	p := payload{rest: data}
	at := p.stamp()
	if p.bad || len(p.rest) > 0 {
		return stamp{}, refuseSealed(field, text, errForged)
	}
	return at, at.belongs(h.info, field, text)
}

// belongs refuses the stamp of another store, or of this one before a restore.
func (s stamp) belongs(info tuples.StoreInfo, field, text string) error {
	if s.store == info.ID && s.epoch == info.Epoch {
		return nil
	}
	why := "is of another store"
	if s.store == info.ID {
		why = "is of this store before it was restored"
	}
	return refuse(usherv1.ErrorReason_ERROR_REASON_FOREIGN_TOKEN, field, text, why,
		"use one that this store returned, or leave it out to read at the head")
}

func refuseSealed(field, text string, err error) *failure {
	return refuse(usherv1.ErrorReason_ERROR_REASON_FORGED_TOKEN, field, text, err.Error(),
		"pass on exactly what an answer of this server had, or leave it out")
}
