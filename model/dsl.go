package model

import (
	"strings"

	"github.com/antlr4-go/antlr/v4"
	"github.com/openfga/language/pkg/go/gen"

	"github.com/usher-authz/usher/tuples"
)

// dslFile is one parsed text of the modelling language: a model or a module.
type dslFile struct {
	schema     string // "" in a module
	module     string // "" in a model
	header     Pos    // of the word "model" or "module"
	schemaPos  Pos
	types      []*Type
	extends    []*Type // "extend type", with the relations to add
	conditions []*Condition
}

// readDSL reads a model in one text.
func readDSL(text string, r *report) *Model {
	file := parseDSL("", text, r)
	if file == nil {
		return nil
	}
	if file.schema == "" {
		r.errorf(file.header, "begin with \"model\" and \"schema 1.1\", or send it together with its fga.mod",
			"text is a module, not a model")
	}
	for _, t := range file.extends {
		r.errorf(t.Pos, "define the relations in the type itself", "type %s is extended outside of a module", t.Name)
	}
	return &Model{Schema: file.schema, Types: file.types, Conditions: file.conditions, Pos: file.schemaPos}
}

// parseDSL reads one text. It returns nil if there are syntax errors.
func parseDSL(name, text string, r *report) *dslFile {
	before := len(r.errors)
	text, lines := significantLines(text)
	b := builder{file: name, lines: lines}
	if line, column := tooDeep(text); line != 0 {
		r.errorf(b.place(line, column), "give parts of the expression names of their own", "parentheses are nested more than %d deep", maxNesting)
		return nil
	}
	listener := &syntaxListener{place: b.place, report: r}
	lexer := parser.NewOpenFGALexer(antlr.NewInputStream(text))
	lexer.RemoveErrorListeners()
	lexer.AddErrorListener(listener)
	listener.tokens = antlr.NewCommonTokenStream(lexer, antlr.TokenDefaultChannel)
	p := parser.NewOpenFGAParser(listener.tokens)
	p.RemoveErrorListeners()
	p.AddErrorListener(listener)
	// The grammar does not need full LL prediction, the default. It would take minutes
	// for a large text of redundant parentheses, and seconds for one long condition.
	p.GetInterpreter().SetPredictionMode(antlr.PredictionModeSLL)
	tree := p.Main().(*parser.MainContext)
	if len(r.errors) > before {
		return nil
	}
	return b.main(tree)
}

// spaces writes line ends and blanks in one way each.
var spaces = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\f", " ")

// significantLines returns a text without comments, blanks at line ends and empty
// lines, and the number that each line has in the source, from 1. What stays keeps its
// column. (The generated lexer's time grows with the square of a run of empty lines.)
// A comment begins with a '#' that is first in its line or follows a blank, outside of
// a CEL string.
func significantLines(text string) (string, []int) {
	var kept []string
	var numbers []int
	for i, line := range strings.Split(spaces.Replace(text), "\n") {
		if line = strings.TrimRight(line[:commentStart(line)], " \t"); line != "" {
			kept, numbers = append(kept, line), append(numbers, i+1)
		}
	}
	return strings.Join(kept, "\n"), numbers
}

// commentStart returns where a line's comment begins, the line's length if it has none.
func commentStart(line string) int {
	var quote byte
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case quote != 0 && c == '\\':
			i++
		case quote != 0 && c == quote:
			quote = 0
		case quote != 0:
		case c == '"' || c == '\'':
			quote = c
		case c == '#' && (i == 0 || line[i-1] == ' ' || line[i-1] == '\t'):
			return i
		}
	}
	return len(line)
}

// tooDeep returns the first line and column at which parentheses are nested more than
// maxNesting deep, 0 if they are not: everything that follows recurses.
func tooDeep(text string) (line, column int) {
	depth := 0
	line = 1
	for _, c := range text {
		column++
		switch c {
		case '\n':
			line, column = line+1, 0
		case '(':
			if depth++; depth > maxNesting {
				return line, column
			}
		case ')':
			depth--
		}
	}
	return 0, 0
}

// builder turns a parse tree without errors into the syntax tree.
type builder struct {
	file   string
	lines  []int // the source's line by the line that was parsed
	module string
}

// place returns where in the source a line and column of the parsed text are, both
// from 1.
func (b builder) place(line, column int) Pos {
	if len(b.lines) > 0 {
		line = b.lines[line-1]
	}
	return Pos{File: b.file, Line: line, Column: column}
}

func (b builder) pos(t antlr.Token) Pos { return b.place(t.GetLine(), t.GetColumn()+1) }

func (b builder) main(ctx *parser.MainContext) *dslFile {
	file := &dslFile{}
	if header := ctx.ModelHeader(); header != nil {
		file.header, file.schemaPos = b.pos(header.MODEL().GetSymbol()), b.pos(header.GetSchemaVersion())
		file.schema = header.GetSchemaVersion().GetText()
	} else {
		header := ctx.ModuleHeader()
		file.header = b.pos(header.MODULE().GetSymbol())
		file.module = header.GetModuleName().GetText()
		b.module = file.module
	}
	for _, def := range ctx.TypeDefs().AllTypeDef() {
		if t := b.typeDef(def); def.EXTEND() != nil {
			file.extends = append(file.extends, t)
		} else {
			file.types = append(file.types, t)
		}
	}
	for _, def := range ctx.Conditions().AllCondition() {
		file.conditions = append(file.conditions, b.condition(def))
	}
	return file
}

func (b builder) typeDef(ctx parser.ITypeDefContext) *Type {
	name := ctx.GetTypeName()
	t := &Type{Name: tuples.ObjectType(name.GetText()), Module: b.module, Pos: b.pos(name.GetStart())}
	for _, def := range ctx.AllRelationDeclaration() {
		t.Relations = append(t.Relations, b.relation(def))
	}
	return t
}

func (b builder) relation(ctx parser.IRelationDeclarationContext) *Relation {
	name := ctx.RelationName()
	rel := &Relation{Name: tuples.Relation(name.GetText()), Module: b.module, Pos: b.pos(name.GetStart())}
	rel.Rewrite = b.rewrite(ctx.RelationDef(), &rel.Direct)
	return rel
}

// rewrite builds the expression below a node of the grammar. Direct restrictions,
// of which the grammar allows one list, go to direct.
func (b builder) rewrite(node antlr.Tree, direct *[]Restriction) Rewrite {
	switch ctx := node.(type) {
	case *parser.RelationDefDirectAssignmentContext:
		for _, restriction := range ctx.AllRelationDefTypeRestriction() {
			*direct = append(*direct, b.restriction(restriction))
		}
		return This{}
	case *parser.RelationDefRewriteContext:
		return b.reference(ctx)
	case *parser.RelationDefContext, *parser.RelationDefNoDirectContext:
		return b.operation(ctx, direct)
	}
	// The other nodes wrap one expression: in parentheses, or as a grouping.
	for _, child := range node.GetChildren() {
		if _, isToken := child.(antlr.TerminalNode); !isToken {
			return b.rewrite(child, direct)
		}
	}
	panic("model: the grammar has an expression without an operand")
}

// reference builds "viewer" or "viewer from parent".
func (b builder) reference(ctx *parser.RelationDefRewriteContext) Rewrite {
	computed := ctx.GetRewriteComputedusersetName()
	pos := b.pos(computed.GetStart())
	if tupleset := ctx.GetRewriteTuplesetName(); tupleset != nil {
		return TupleToUserset{Tupleset: tuples.Relation(tupleset.GetText()), Computed: tuples.Relation(computed.GetText()), Pos: pos}
	}
	return ComputedUserset{Relation: tuples.Relation(computed.GetText()), Pos: pos}
}

// operation builds a first operand and, if an operator follows, the others.
func (b builder) operation(node antlr.Tree, direct *[]Restriction) Rewrite {
	children := node.GetChildren()
	operands := []Rewrite{b.rewrite(children[0], direct)}
	if len(children) == 1 {
		return operands[0]
	}
	partials := children[1].(*parser.RelationDefPartialsContext)
	for _, child := range partials.GetChildren() {
		if _, isToken := child.(antlr.TerminalNode); !isToken {
			operands = append(operands, b.rewrite(child, direct))
		}
	}
	switch {
	case partials.BUT_NOT() != nil:
		return Exclusion{Base: operands[0], Subtract: operands[1]}
	case len(partials.AllAND()) > 0:
		return Intersection{Operands: operands}
	}
	return Union{Operands: operands}
}

func (b builder) restriction(ctx parser.IRelationDefTypeRestrictionContext) Restriction {
	base := ctx.RelationDefTypeRestrictionBase()
	restriction := Restriction{
		Type:     tuples.ObjectType(base.GetRelationDefTypeRestrictionType().GetText()),
		Wildcard: base.GetRelationDefTypeRestrictionWildcard() != nil,
		Pos:      b.pos(base.GetStart()),
	}
	if relation := base.GetRelationDefTypeRestrictionRelation(); relation != nil {
		restriction.Relation = tuples.Relation(relation.GetText())
	}
	if name := ctx.ConditionName(); name != nil {
		restriction.Condition = name.GetText()
	} else if inline := ctx.DOLLAR_EXPRESSION(); inline != nil {
		restriction.Condition = inline.GetText()
	}
	return restriction
}

func (b builder) condition(ctx parser.IConditionContext) *Condition {
	name := ctx.ConditionName()
	c := &Condition{Name: name.GetText(), Module: b.module, Pos: b.pos(name.GetStart())}
	for _, p := range ctx.AllConditionParameter() {
		c.Parameters = append(c.Parameters, Parameter{
			Name: p.ParameterName().GetText(),
			Type: p.ParameterType().GetText(),
			Pos:  b.pos(p.ParameterName().GetStart()),
		})
	}
	text, line, column := expressionText(ctx.ConditionExpression())
	c.Expression, c.exprPos = text, b.place(line, column)
	c.exprLines = b.lines[line-1 : line+strings.Count(text, "\n")]
	return c
}

// expressionText returns an expression without the blanks around it, and the line and
// column of the parsed text at which it begins. (The tree's own GetText takes time
// quadratic in the number of tokens.)
func expressionText(ctx parser.IConditionExpressionContext) (text string, line, column int) {
	start := ctx.GetStart()
	if ctx.GetChildCount() > 0 {
		text = start.GetInputStream().GetText(start.GetStart(), ctx.GetStop().GetStop())
	}
	trimmed := strings.TrimLeft(text, blanks)
	cut := text[:len(text)-len(trimmed)]
	line, column = start.GetLine()+strings.Count(cut, "\n"), start.GetColumn()+1+len(cut)
	if i := strings.LastIndexByte(cut, '\n'); i >= 0 {
		column = len(cut) - i
	}
	return strings.TrimRight(trimmed, blanks), line, column
}

// blanks surround an expression without being part of it.
const blanks = " \t\r\n\f"
