// Package checktest has what tests of the engine share: scenarios in a text
// format, and random models, tuples and questions that make for dense and nasty
// graphs.
//
//	scenario.go    a world with questions and answers, read from and written as txtar
//	question.go    questions and answers as one line of text
//	model.go       random authorization models
//	case.go        random cases: a model with a history of tuples and a request
//	tuple.go       random tuples
//	attributes.go  random attributes of tuples
//
// Whatever answers can be asked the questions: package check/reference, the
// engine, and later the server ([Answerer]).
package checktest
