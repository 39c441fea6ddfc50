package library

import "math/rand/v2"

// kind tells dice apart that are for the same number.
type kind uint64

const (
	ofGroup kind = iota + 1
	ofUser
	ofAccount
	ofStatus
	ofTeam
	ofFolder
	ofClient
	ofCollection
	ofMedia
	ofID
	ofChecks
	ofBatches
	ofPages
)

// dice returns the die of one thing: the same numbers whenever it is asked for.
func (l *Library) dice(of kind, index int32) *rand.Rand {
	// Multiplied by odd numbers without a pattern, neighbours begin far from each other.
	return rand.New(rand.NewPCG((l.seed<<8|uint64(of))*0xd1342543de82ef95, (uint64(index)+1)*0x9e3779b97f4a7c15))
}

// rarely reports whether one of the rare things happens.
func (l *Library) rarely(d *rand.Rand) bool { return d.Float64() < l.rare }

// popularity draws numbers below n by Zipf's law: one in 65 times the favourite of 336,000,
// half as often the ninth. Ranks are scattered over the numbers.
func popularity(d *rand.Rand, n int32) func() int32 {
	const scatter = 2_654_435_761 // a prime above every n, so no two ranks meet
	ranks := rand.NewZipf(d, 1.1, 10, uint64(n-1))
	return func() int32 { return int32(ranks.Uint64() * scatter % uint64(n)) }
}
