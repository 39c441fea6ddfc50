package drive

import "github.com/usher-authz/usher/bench/library"

// How many different requests of a kind are asked, over and over, and how many media are
// in one.
const (
	checkCount = 10_000
	batchCount = 100
	pageCount  = 100
	batchSize  = 100
)

// How many requests are under way at once: of small ones so many as keep the machine busy,
// and one; of those that keep a core busy each, a few.
const (
	ManyCallers = 32
	FewCallers  = 4
	OneCaller   = 1
)

// Questions are all that the operations that read ask about one library.
type Questions struct {
	checks      []library.Question
	batches     [][]library.Question
	pages       []library.Page
	short, long []library.List // none if the library is too small for them
}

// Draw draws the questions of a library, with their answers: some seconds for a million
// tuples.
func Draw(l *library.Library) Questions {
	return Questions{
		checks: l.Checks(checkCount), batches: l.Batches(batchCount, batchSize), pages: l.Pages(pageCount, batchSize),
		short: l.Lists(library.ShortList), long: l.Lists(library.LongList),
	}
}

// Reads returns health, which is the floor, and each operation that reads, with the callers
// that it is measured with.
func (t *Target) Reads(q Questions) []Contender {
	health, check := t.Health(), t.Check(q.checks)
	contenders := []Contender{
		{health, ManyCallers},
		{check, ManyCallers},
		{health, OneCaller},
		{check, OneCaller},
		{t.BatchCheck(q.batches), FewCallers},
		{t.FilterObjects(q.pages), FewCallers},
	}
	if len(q.short) > 0 {
		contenders = append(contenders, Contender{t.ListObjects(q.short).Named(ListShort), FewCallers})
	}
	if len(q.long) > 0 {
		contenders = append(contenders,
			Contender{t.ListObjects(q.long).Named(ListLong), FewCallers},
			Contender{t.ListPage(q.long, 0).Named(FirstPage), FewCallers},
			Contender{t.ListPage(q.long, laterPage).Named(LaterPage), FewCallers})
	}
	return contenders
}

// The operations of lists by their names.
const (
	ListShort = "ListObjects, about 100 results"
	ListLong  = "ListObjects, about 10,000 results"
	FirstPage = "ListObjects, the first 100 of about 10,000"
	LaterPage = "ListObjects, 100 of about 10,000 behind 8,000"
)

// laterPage is how many items are before the later page.
const laterPage = 8_000
