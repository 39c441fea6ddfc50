package library

import (
	"slices"
	"testing"

	"github.com/usher-authz/usher/tuples"
)

func TestSevenOfTenQuestionsAreAllowed(t *testing.T) {
	l := New(1, S)
	for name, outcomes := range map[string][]Outcome{
		"checks":  outcomesOf(l.Checks(1_000)),
		"batches": outcomesOf(slices.Concat(l.Batches(10, 100)...)),
		"pages":   outcomesOfPages(l.Pages(10, 100)),
	} {
		allowed := 0
		for _, outcome := range outcomes {
			if outcome == Allowed {
				allowed++
			}
		}
		if part := float64(allowed) / float64(len(outcomes)); len(outcomes) != 1_000 || part < 0.68 || part > 0.72 {
			t.Errorf("%s: of %d questions %.2f are allowed, want 0.70", name, len(outcomes), part)
		}
	}
}

func outcomesOf(questions []Question) (outcomes []Outcome) {
	for _, q := range questions {
		outcomes = append(outcomes, q.Want)
	}
	return outcomes
}

func outcomesOfPages(pages []Page) (outcomes []Outcome) {
	for _, page := range pages {
		outcomes = append(outcomes, slices.Repeat([]Outcome{Allowed}, len(page.Allowed))...)
		outcomes = append(outcomes, make([]Outcome, len(page.IDs)-len(page.Allowed))...)
	}
	return outcomes
}

// By Zipf's law few are asked about often, and many now and then.
func TestSomeAreAskedAboutMoreThanOthers(t *testing.T) {
	l := New(1, S)
	draw := popularity(l.dice(ofChecks, none), l.media)
	counts := make([]int, l.media)
	const draws = 100_000
	for range draws {
		counts[draw()]++
	}
	different := 0
	for _, count := range counts {
		if count > 0 {
			different++
		}
	}
	slices.Sort(counts)
	slices.Reverse(counts)
	most, hundredth := float64(counts[0])/draws, 0
	for _, count := range counts[:len(counts)/100] {
		hundredth += count
	}
	if most < 0.01 || most > 0.03 {
		t.Errorf("the favourite is asked about in %.3f of the questions, want 0.01 to 0.03", most)
	}
	if part := float64(hundredth) / draws; part < 0.4 || part > 0.7 {
		t.Errorf("one in a hundred media has %.2f of the questions, want 0.4 to 0.7", part)
	}
	if different < len(counts)/4 {
		t.Errorf("%d different media of %d in %d questions, want a quarter", different, len(counts), draws)
	}
}

func TestChecksAskForAllKindsOfRights(t *testing.T) {
	relations, proofs := make(map[tuples.Relation]int), 0
	for _, q := range New(1, S).Checks(1_000) {
		relations[q.On.Relation]++
		if q.Context != nil {
			proofs++
		}
	}
	if relations["can_view"] < 700 || relations["can_download"] < 50 || relations["can_edit"] < 50 {
		t.Errorf("asks for %v", relations)
	}
	if proofs == 0 {
		t.Error("nobody presents a password")
	}
}

func TestBatchesAskForDifferentUsers(t *testing.T) {
	for _, batch := range New(1, S).Batches(5, 100) {
		users := make(map[tuples.Subject]bool)
		for _, q := range batch {
			users[q.Subject] = true
		}
		if len(batch) != 100 || len(users) != 100 {
			t.Errorf("a batch of %d questions asks for %d users, want 100 each", len(batch), len(users))
		}
	}
}

func TestPagesHaveDifferentMedia(t *testing.T) {
	for _, page := range New(1, S).Pages(5, 100) {
		ids := slices.Clone(page.IDs)
		slices.Sort(ids)
		if len(slices.Compact(ids)) != 100 {
			t.Error("a page has the same media twice")
		}
		inOrder := page.IDs
		for _, id := range page.Allowed {
			at := slices.Index(inOrder, id)
			if at < 0 {
				t.Fatalf("%s is allowed out of order", id)
			}
			inOrder = inOrder[at+1:]
		}
	}
}

func TestListsHaveTheLengthAskedFor(t *testing.T) {
	for _, size := range []int{S, M} {
		l := New(1, size)
		for _, length := range []int{ShortList, LongList} {
			first, end := l.readers(length)
			if end-first != readersEach {
				t.Fatalf("%d readers of %d media, want %d", end-first, length, readersEach)
			}
			list := l.list(l.staff + first)
			if n := len(list.Items); n < length*85/100 || n > length*115/100 {
				t.Errorf("%d tuples: %s sees %d media, want about %d", size, list.Subject, n, length)
			}
			if !slices.IsSortedFunc(list.Items, func(a, b Item) int { return tuples.Object{ID: a.ID}.Compare(tuples.Object{ID: b.ID}) }) {
				t.Error("the list is not sorted by id")
			}
		}
	}
	if lists := New(1, Smallest).Lists(LongList); len(lists) != 0 {
		t.Errorf("the smallest library has %d lists of 10,000", len(lists))
	}
}
