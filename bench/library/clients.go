package library

// How many media the guests of some clients see, so that lists of these lengths can be asked
// for in a library of any size that has as many.
const (
	ShortList = 100
	LongList  = 10_000
)

// readersEach is how many clients there are for each of these lengths.
const readersEach = 8

// everybody is about how many media everybody sees, or may see with a password.
const everybody = 25

// serveClients shares folders with each client, until its guests see as many media as they
// are meant to.
func (l *Library) serveClients() {
	reached := l.reached()
	for c := range l.clients() {
		l.serve(c, l.aim(c), reached)
	}
}

// readers returns the first of the clients whose guests see length media, and the one behind
// the last. A library that is too small for it has none.
func (l *Library) readers(length int) (first, end int32) {
	if int(l.media) < 2*length || l.clients() < 2*readersEach {
		return 0, 0
	}
	if length == ShortList {
		return 0, readersEach
	}
	return readersEach, 2 * readersEach
}

// aim is how many media shall be shared with a client.
func (l *Library) aim(client int32) int32 {
	for _, length := range [...]int{ShortList, LongList} {
		if first, end := l.readers(length); first <= client && client < end {
			return int32(length) - everybody
		}
	}
	return 10 + l.dice(ofClient, client).Int32N(ShortList)
}

// serve shares folders that do not lie in one another, the largest that are not too large.
// reached is, for each folder, how many media a share of it reaches.
func (l *Library) serve(client, aim int32, reached []int32) {
	d := l.dice(ofClient, client)
	shared, above := make(map[int32]bool), make(map[int32]bool) // above them, and they themselves
	for left, tries := aim, 0; left > aim/50 && tries < 10_000; tries++ {
		f := d.Int32N(int32(len(l.folders)))
		for up := l.folders[f].parent; up > 0 && reached[up] <= left; up = l.folders[f].parent {
			f = up
		}
		if f == 0 || reached[f] == 0 || reached[f] > left || above[f] || l.liesIn(f, shared) {
			continue
		}
		shared[f] = true
		for up := f; up != none; up = l.folders[up].parent {
			above[up] = true
		}
		s := share{role: [...]role{viewer, downloader}[d.IntN(2)], to: recipient{toGroup, l.client(client)}}
		l.folders[f].shares = append(l.folders[f].shares, s)
		left -= reached[f]
	}
}

// liesIn reports whether a folder is one of some, or lies in one.
func (l *Library) liesIn(f int32, some map[int32]bool) bool {
	for ; f != none; f = l.folders[f].parent {
		if some[f] {
			return true
		}
	}
	return false
}

// reached counts, for each folder, the media that its roles reach: its own and those of
// the folders in it that are not sealed.
func (l *Library) reached() []int32 {
	counts := make([]int32, len(l.folders))
	for f := len(l.folders) - 1; f >= 0; f-- { // what lies in a folder comes behind it
		counts[f] += l.folders[f].count
		if parent := l.folders[f].parent; parent != none && !l.folders[f].sealed {
			counts[parent] += counts[f]
		}
	}
	return counts
}
