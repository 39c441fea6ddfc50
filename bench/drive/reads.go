package drive

import "github.com/usher-authz/usher/bench/library"

// How many different requests of a kind are asked, over and over, and how many media are
// in one.
const (
	checkCount = 10_000
	batchCount = 200
	pageCount  = 200
	batchSize  = 100
)

// How many requests are under way at once: of small ones so many as keep the machine busy,
// and one; of those that keep a core busy each, a few.
const (
	ManyCallers = 32
	FewCallers  = 4
	OneCaller   = 1
)

// Reads draws the questions of a library: health, which is the floor, and each operation
// that reads, with the callers that it is measured with. A library that is too small for
// lists of a length has no such operation.
func (t *Target) Reads(l *library.Library) []Contender {
	check := t.Check(l.Checks(checkCount))
	contenders := []Contender{
		{t.Health(), ManyCallers},
		{check, ManyCallers},
		{t.Health(), OneCaller},
		{check, OneCaller},
		{t.BatchCheck(l.Batches(batchCount, batchSize)), FewCallers},
		{t.FilterObjects(l.Pages(pageCount, batchSize)), FewCallers},
	}
	if lists := l.Lists(library.ShortList); len(lists) > 0 {
		contenders = append(contenders, Contender{t.ListObjects(lists).Named(ListShort), FewCallers})
	}
	if lists := l.Lists(library.LongList); len(lists) > 0 {
		contenders = append(contenders,
			Contender{t.ListObjects(lists).Named(ListLong), FewCallers},
			Contender{t.ListPage(lists, 0).Named(FirstPage), FewCallers},
			Contender{t.ListPage(lists, laterPage).Named(LaterPage), FewCallers})
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
