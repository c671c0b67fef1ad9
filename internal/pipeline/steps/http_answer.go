package steps

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/paysvc/paysvc/internal/payment"
)

const (
	decisionContinue = "continue"
	decisionReject   = "reject"
	// What an answer may hold.
	answerAttributesMax = 50
	answerTextMaxRunes  = 300
)

// What an answer can be instead of one. The texts repeat nothing of it: they
// stand in the journal and in notes.
var (
	errTooLarge   = errors.New("the answer is too large")
	errNotJSON    = errors.New("the answer is not the JSON that was asked for")
	errDecision   = errors.New("the answer decides neither continue nor reject")
	errNotAllowed = errors.New("the answer sets an attribute that the step's configuration does not allow")
	errMany       = fmt.Errorf("the answer sets more than %d attributes", answerAttributesMax)
)

// verdict is the body of an answer.
type verdict struct {
	Decision   string                    `json:"decision"`
	Message    string                    `json:"message"`
	Code       string                    `json:"code"`
	Attributes map[string]jsontext.Value `json:"attributes"`
	Note       string                    `json:"note"`
}

// keys returns the keys of the attributes, sorted, so that equal runs do equal
// things.
func (v verdict) keys() []string { return slices.Sorted(maps.Keys(v.Attributes)) }

// verdictOf reads an answer: 2xx, and nothing or exactly the JSON that is
// documented. Anything else is no answer.
func (s httpStep) verdictOf(r Reply) (verdict, error) {
	switch {
	case r.Status < http.StatusOK || r.Status >= http.StatusMultipleChoices:
		return verdict{}, fmt.Errorf("the answer has the status %d", r.Status)
	case r.Cut:
		return verdict{}, errTooLarge
	case len(bytes.TrimSpace(r.Body)) == 0:
		return verdict{Decision: decisionContinue}, nil
	}
	var v verdict
	if err := json.Unmarshal(r.Body, &v, json.RejectUnknownMembers(true)); err != nil {
		return verdict{}, errNotJSON // its own error may repeat the answer
	}
	switch {
	case v.Decision != decisionContinue && v.Decision != decisionReject:
		return verdict{}, errDecision
	case len(v.Attributes) > answerAttributesMax:
		return verdict{}, errMany
	}
	for key, value := range v.Attributes {
		if !s.maySet(key) {
			return verdict{}, errNotAllowed
		}
		if err := payment.CheckAttribute(key, value); err != nil {
			return verdict{}, err
		}
	}
	return v, nil
}

func (s httpStep) maySet(key string) bool {
	return slices.ContainsFunc(s.settable, func(allowed string) bool {
		prefix, all := strings.CutSuffix(allowed, "*")
		return key == allowed || all && strings.HasPrefix(key, prefix)
	})
}

// oneLine makes a text of the store safe to show: one line, no control
// characters, bounded.
func oneLine(text string) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r), r == utf8.RuneError:
			return -1
		}
		return r
	}, text)
	text = strings.Join(strings.Fields(text), " ")
	if runes := []rune(text); len(runes) > answerTextMaxRunes {
		text = string(runes[:answerTextMaxRunes-1]) + "…"
	}
	return text
}
