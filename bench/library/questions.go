package library

import (
	"math/rand/v2"

	"github.com/usher-authz/usher/tuples"
)

// Question is a Check with the answer that is right.
type Question struct {
	On      tuples.Userset
	Subject tuples.Subject
	Context tuples.Context // nil for most
	Want    Outcome
}

// Of each ten questions so many are answered by allowed, whoever asks.
const allowedOfTen = 7

// patience is how many media are drawn for one question, or for each media of a page, before
// another user asks it: who sees little of the library is asked about less.
const patience = 5_000

// asker draws users and media, both by popularity, and looks up the answers.
type asker struct {
	*Library
	*rand.Rand
	user, media func() int32
}

func (l *Library) asker(of kind) asker {
	d := l.dice(of, none)
	return asker{l, d, popularity(d, l.users), popularity(d, l.media)}
}

// find draws media until the visitor has this relation to one, or has it not.
func (a asker) find(v *visitor, relation tuples.Relation, allowed bool) (number int32, answer Outcome, found bool) {
	for range patience {
		number = a.media()
		answer = a.answer(v, thing{ofMedia, number}, relation)
		if (answer == Allowed) == allowed {
			return number, answer, true
		}
	}
	return 0, Denied, false
}

// question draws one that is allowed, or one that is not.
func (a asker) question(relation tuples.Relation, allowed bool) Question {
	for {
		v, context := a.visitor(a.user(), ""), tuples.Context(nil)
		if a.rarely(a.Rand) {
			v.proof, _ = passwordOf([...]int32{viewPassword, downloadPassword}[a.IntN(2)])
			context = tuples.Context{"proofs": []any{v.proof}}
		}
		if number, answer, found := a.find(v, relation, allowed); found {
			on := tuples.Userset{Object: a.mediaObject(number), Relation: relation}
			return Question{On: on, Subject: a.Library.user(v.user), Context: context, Want: answer}
		}
	}
}

// Checks draws questions: 70 % of them are allowed. Most ask whether a user can view a
// media, one in ten for the download and one in ten for editing; one in a hundred presents
// a password.
func (l *Library) Checks(count int) []Question {
	a := l.asker(ofChecks)
	questions := make([]Question, count)
	for i := range questions {
		relation := [...]tuples.Relation{8: "can_download", 9: "can_edit"}[a.IntN(10)]
		if relation == "" {
			relation = "can_view"
		}
		questions[i] = a.question(relation, i%10 < allowedOfTen)
	}
	a.Shuffle(count, func(i, j int) { questions[i], questions[j] = questions[j], questions[i] })
	return questions
}

// Batches draws groups of questions without context, each of size different users: who
// of them can view a media? Of each batch 70 % are allowed.
func (l *Library) Batches(count, size int) [][]Question {
	a := l.asker(ofBatches)
	batches := make([][]Question, count)
	for b := range batches {
		asked := make(map[tuples.Subject]bool)
		for len(batches[b]) < size {
			q := a.question("can_view", len(batches[b])%10 < allowedOfTen)
			if q.Context == nil && !asked[q.Subject] {
				asked[q.Subject] = true
				batches[b] = append(batches[b], q)
			}
		}
	}
	return batches
}

// Page asks which of some media a user can view.
type Page struct {
	Subject              tuples.Subject
	IDs                  []tuples.ID // different media, in no order
	Allowed, Conditional []tuples.ID // those of them, in their order
}

// Pages draws pages of size media, of which 70 % are allowed.
func (l *Library) Pages(count, size int) []Page {
	a := l.asker(ofPages)
	pages := make([]Page, 0, count)
	for len(pages) < count {
		if page, ok := a.page(a.visitor(a.user(), ""), size); ok {
			pages = append(pages, page)
		}
	}
	return pages
}

// page draws one; false if the user sees too little to fill it.
func (a asker) page(v *visitor, size int) (Page, bool) {
	answers := make(map[int32]Outcome, size)
	numbers := make([]int32, 0, size)
	for tries := 0; len(numbers) < size; tries++ {
		number, answer, found := a.find(v, "can_view", len(numbers)%10 < allowedOfTen)
		if !found || tries > 10*size {
			return Page{}, false
		}
		if _, known := answers[number]; !known {
			answers[number] = answer
			numbers = append(numbers, number)
		}
	}
	a.Shuffle(size, func(i, j int) { numbers[i], numbers[j] = numbers[j], numbers[i] })
	page := Page{Subject: a.Library.user(v.user)}
	for _, number := range numbers {
		id := a.mediaObject(number).ID
		page.IDs = append(page.IDs, id)
		switch answers[number] {
		case Allowed:
			page.Allowed = append(page.Allowed, id)
		case Conditional:
			page.Conditional = append(page.Conditional, id)
		}
	}
	return page, true
}
