package steps

import (
	"regexp"
	"strings"

	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline"
)

const noteMaxBytes = 1000

// placeholder is a word in braces of a note's text.
var placeholder = regexp.MustCompile(`\{[^{}]*\}`)

// note writes a line into the order's timeline, each time that it runs.
type note struct {
	text              string
	displayToCustomer bool
}

var noteMaker = pipeline.Maker{Name: "note", Make: func(decode func(any) error) (pipeline.Step, error) {
	var c struct {
		Text              string `yaml:"text"`
		DisplayToCustomer bool   `yaml:"display_to_customer"`
	}
	if err := decode(&c); err != nil {
		return nil, err
	}
	if strings.TrimSpace(c.Text) == "" || len(c.Text) > noteMaxBytes || strings.ContainsRune(c.Text, 0) {
		return nil, payment.Invalid("text", "invalid", "must be a text of 1 to 1000 bytes")
	}
	for _, found := range placeholder.FindAllString(c.Text, -1) {
		switch found {
		case "{number}", "{total}", "{currency}", "{method}":
		default:
			return nil, payment.Invalid("text", "invalid", "may hold {number}, {total}, {currency} and {method}, and nothing else in braces")
		}
	}
	return note{text: c.Text, displayToCustomer: c.DisplayToCustomer}, nil
}}

func (note) Name() string { return "note" }

func (s note) Do(run *pipeline.Run) error {
	o := run.Order
	method := ""
	if run.Payment != nil {
		method = run.Payment.Method
	}
	run.Note(strings.NewReplacer("{number}", o.Number, "{total}", o.Total.String(), "{currency}", o.Currency.String(),
		"{method}", method).Replace(s.text))
	o.Staged.Notes[len(o.Staged.Notes)-1].DisplayToCustomer = s.displayToCustomer
	return nil
}
