package index

// NewSeeded is [New] with a hash that is the same in every run.
func NewSeeded(memory int64) *Index { return newIndex(memory, 1) }
