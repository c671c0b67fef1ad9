package offline

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The bounds of what is kept, in characters: SEPA's of a name, ours of a number.
const (
	holderMax = 70
	numberMax = 64
)

// checkHolder keeps the name: whoever collects the money has to say from whom.
func checkHolder(value string) (kept, problem string) {
	if _, bad := checkIBAN(value); bad == "" {
		return "", "must be a name"
	}
	return visible(value, holderMax)
}

// checkNumber keeps the number: the invoice has to name it.
func checkNumber(value string) (kept, problem string) { return visible(value, numberMax) }

// visible takes one line of at most so many characters that can be seen.
func visible(value string, most int) (kept, problem string) {
	hidden := strings.ContainsFunc(value, func(r rune) bool { return r == utf8.RuneError || !unicode.IsPrint(r) })
	switch {
	case hidden:
		return "", "must hold visible characters only"
	case utf8.RuneCountInString(value) > most:
		return "", "is too long"
	}
	return value, ""
}

// bic is a business identifier code (ISO 9362).
var bic = regexp.MustCompile(`^[A-Z]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?$`)

// checkBIC keeps nothing: an IBAN says all that a debit needs.
func checkBIC(value string) (kept, problem string) {
	if !bic.MatchString(strings.ToUpper(value)) {
		return "", "must be a BIC of 8 or 11 letters and digits"
	}
	return "", ""
}
