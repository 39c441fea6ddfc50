package checktest

import (
	"math/bits"

	"pgregory.net/rapid"
)

// roll draws from 0 to sides-1, all but evenly, and shrinks towards 0. The ranges of
// rapid prefer small numbers, which leaves random models with the same few shapes.
func roll(t *rapid.T, sides int) int {
	number := 0
	for range bits.Len(uint(sides-1)) + 3 {
		number *= 2
		if rapid.Bool().Draw(t, "bit") {
			number++
		}
	}
	return number % sides
}

// pick draws one of the values, and shrinks towards the first.
func pick[T any](t *rapid.T, values []T) T { return values[roll(t, len(values))] }
