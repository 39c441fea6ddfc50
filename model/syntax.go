package model

import (
	"fmt"
	"slices"
	"strings"

	"github.com/antlr4-go/antlr/v4"
	"github.com/openfga/language/pkg/go/gen"

	"github.com/usher-authz/usher/tuples"
)

// syntaxListener turns what the generated parser reports into problems. Of the
// several that one mistake causes, it keeps the first in each line.
type syntaxListener struct {
	*antlr.DefaultErrorListener
	place  func(line, column int) Pos
	report *report
	tokens *antlr.CommonTokenStream
	line   int // of the last problem
}

// SyntaxError takes an error from the lexer or the parser. Lines come from 1,
// columns from 0.
func (l *syntaxListener) SyntaxError(_ antlr.Recognizer, symbol any, line, column int, message string, _ antlr.RecognitionException) {
	pos := l.place(line, column+1)
	found := "an unknown character"
	token, fromParser := symbol.(antlr.Token)
	if fromParser {
		token = l.skipBlanks(token)
		pos = l.place(token.GetLine(), token.GetColumn()+1)
		found = describe(token)
	} else if _, character, ok := strings.Cut(message, "at: "); ok {
		found = fmt.Sprintf("%q", tuples.Shorten(strings.Trim(character, "'")))
	}
	if pos.Line == l.line {
		return
	}
	l.line = pos.Line
	expected := expectedNames(message)
	l.report.errorf(pos, syntaxRemedy(token, expected), "unexpected %s", found)
}

// skipBlanks returns the token that a reader would call unexpected: where no
// alternative fits, the parser names the blank in front of it.
func (l *syntaxListener) skipBlanks(token antlr.Token) antlr.Token {
	for token.GetTokenType() == parser.OpenFGAParserWHITESPACE && l.tokens.Sync(token.GetTokenIndex()+1) {
		token = l.tokens.Get(token.GetTokenIndex() + 1)
	}
	return token
}

func describe(token antlr.Token) string {
	switch token.GetTokenType() {
	case antlr.TokenEOF:
		return "end of the text"
	case parser.OpenFGAParserNEWLINE:
		return "end of the line"
	}
	return fmt.Sprintf("%q", tuples.Shorten(token.GetText()))
}

// expectedNames reads the tokens out of "… expecting {':', IDENTIFIER}" and
// "missing ':' at …", in words.
func expectedNames(message string) []string {
	_, list, ok := strings.Cut(message, " expecting ")
	if !ok {
		list, ok = strings.CutPrefix(message, "missing ")
		list, _, _ = strings.Cut(list, " at ")
	}
	if !ok {
		return nil
	}
	var names []string
	for token := range strings.SplitSeq(strings.Trim(list, "{}"), ", ") {
		name := tokenName(token)
		if name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if slices.Contains(names, "a name") { // these words are names too
		names = slices.DeleteFunc(names, func(name string) bool { return name == `"model"` || name == `"module"` })
	}
	return names
}

// tokenName says in words what the grammar calls a token; "" for what need not be said.
func tokenName(token string) string {
	switch token {
	case "WHITESPACE", "'#'":
		return ""
	case "IDENTIFIER", "EXTENDED_IDENTIFIER", "'schema'", "'extend'", "'type'", "'relation'":
		return "a name"
	case "NEWLINE":
		return "a new line"
	case "<EOF>":
		return "the end"
	case "SCHEMA_VERSION":
		return "1.1 or 1.2"
	case "CONDITION_PARAM_TYPE", "CONDITION_PARAM_CONTAINER":
		return typeNames
	}
	return strings.ReplaceAll(token, "'", `"`)
}

// syntaxRemedy says what to write instead of token, nil for a character that no
// token begins with.
func syntaxRemedy(token antlr.Token, expected []string) string {
	if token == nil {
		return "names have letters, digits, '_' and '-'"
	}
	switch token.GetTokenType() {
	case parser.OpenFGAParserAND, parser.OpenFGAParserOR, parser.OpenFGAParserBUT_NOT:
		return "put parentheses around each part where \"or\", \"and\" and \"but not\" meet"
	case parser.OpenFGAParserLBRACKET:
		if slices.Contains(expected, `"("`) {
			return "direct types come first and once, as in [user, group#member] or editor"
		}
	case parser.OpenFGAParserRPRACKET:
		return "list who can be related, as in [user, group#member]"
	}
	if slices.Contains(expected, `"model"`) {
		return "begin with \"model\" and \"schema 1.1\" on a line of its own"
	}
	if len(expected) == 0 {
		return "a relation reads \"define viewer: [user] or editor\", below \"relations\" of its type"
	}
	return "expected here: " + strings.Join(expected, ", ")
}
