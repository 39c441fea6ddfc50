package tuples

import (
	"sync"
)

// Symbols is a store's table of type and relation names. It only grows: a
// symbol keeps its name for the life of the store. It is safe for concurrent use.
type Symbols struct {
	mu     sync.RWMutex
	byName map[string]Symbol
	names  []string // names[0] is no name
}

// NewSymbols returns a table that gives names their position, from 1 on.
func NewSymbols(names ...string) *Symbols {
	s := &Symbols{byName: make(map[string]Symbol, len(names)), names: make([]string, 1, len(names)+1)}
	for _, name := range names {
		s.Add(name)
	}
	return s
}

// MaxSymbols is how many names a store can hold.
const MaxSymbols = 1<<16 - 1

// Lookup returns the symbol of a name, 0 if the table does not have it.
func (s *Symbols) Lookup(name string) Symbol {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.byName[name]
}

// Name returns the name of a symbol, "" if the table does not have it.
func (s *Symbols) Name(symbol Symbol) string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if int(symbol) >= len(s.names) {
		return ""
	}
	return s.names[symbol]
}

// Len returns how many names the table has.
func (s *Symbols) Len() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.names) - 1
}

// Add appends a name and returns its symbol, or the symbol it has already. A
// store makes the name durable before it calls Add.
func (s *Symbols) Add(name string) Symbol {
	s.mu.Lock()
	defer s.mu.Unlock()
	if symbol, ok := s.byName[name]; ok {
		return symbol
	}
	symbol := Symbol(len(s.names))
	s.byName[name] = symbol
	s.names = append(s.names, name)
	return symbol
}
