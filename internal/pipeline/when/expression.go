package when

import "github.com/shopspring/decimal"

// kind is what an expression is. It is known before anything runs.
type kind int

const (
	truth     kind = iota // true or false
	text                  // a text
	number                // an exact decimal
	list                  // texts of the order, such as its SKUs
	attribute             // whatever JSON an attribute of the order holds
	keyed                 // metadata or attributes as a whole
	nothing               // nil
)

// String is for people: "this is ...".
func (k kind) String() string {
	switch k {
	case truth:
		return "true or false"
	case text:
		return "a text"
	case number:
		return "a number"
	case list:
		return "a list"
	case attribute:
		return "an attribute"
	case keyed:
		return "a whole of several values"
	case nothing:
		return "nil"
	}
	return "something else"
}

// expression is a compiled node. Exactly the function of its kind is set. The
// second result of text and number tells whether there is a value: what is not
// there (no payment, no fact, no such attribute) equals nothing but nil, and no
// comparison with it holds.
type expression struct {
	kind      kind
	truth     func(*scope) bool
	text      func(*scope) (string, bool)
	number    func(*scope) (decimal.Decimal, bool)
	list      func(*scope) []string
	attribute func(*scope) scalar
	at        func(key string) expression // of keyed: the value under a key
	has       func(s *scope, key string) bool
	literal   *string // of a text that is written in the condition
}

func truthOf(f func(*scope) bool) expression          { return expression{kind: truth, truth: f} }
func textOf(f func(*scope) (string, bool)) expression { return expression{kind: text, text: f} }
func listOf(f func(*scope) []string) expression       { return expression{kind: list, list: f} }
func numberOf(f func(*scope) (decimal.Decimal, bool)) expression {
	return expression{kind: number, number: f}
}

func literalText(value string) expression {
	e := textOf(func(*scope) (string, bool) { return value, true })
	e.literal = &value
	return e
}

func literalNumber(value decimal.Decimal) expression {
	return numberOf(func(*scope) (decimal.Decimal, bool) { return value, true })
}
