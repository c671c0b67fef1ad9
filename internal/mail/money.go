package mail

import (
	"strings"

	"github.com/paysvc/paysvc/internal/payment"
)

// The characters between digits, and between an amount and its currency, at
// which no line is broken.
const (
	space       = "\u00A0"
	narrowSpace = "\u202F"
	minus       = "\u2212"
)

// notation is how a language writes an amount.
type notation struct {
	group, point string
	// groupFrom is the number of digits from which on thousands are grouped:
	// Spanish writes 1234,50.
	groupFrom int
	signFirst bool
	signGap   string // between a sign and the number; a code always has a space
}

func notationOf(language string) notation {
	switch language {
	case "de":
		return notation{group: ".", point: ",", groupFrom: 4, signGap: space}
	case "nl":
		return notation{group: ".", point: ",", groupFrom: 4, signFirst: true, signGap: space}
	case "fr":
		return notation{group: narrowSpace, point: ",", groupFrom: 4, signGap: space}
	case "es":
		return notation{group: ".", point: ",", groupFrom: 5, signGap: space}
	default:
		return notation{group: ",", point: ".", groupFrom: 4, signFirst: true}
	}
}

// amount writes money as the language does, digit for digit what it is. Only
// the euro and the pound have signs of their own; a "$" could be many.
func amount(m payment.Money, language string) string {
	n := notationOf(language)
	digits, negative := strings.CutPrefix(m.String(), "-")
	whole, fraction, dotted := strings.Cut(digits, ".")
	number := n.grouped(whole)
	if dotted {
		number += n.point + fraction
	}
	sign, gap := m.Currency().String(), space
	switch sign {
	case "EUR":
		sign, gap = "€", n.signGap
	case "GBP":
		sign, gap = "£", n.signGap
	}
	text := number + gap + sign
	if n.signFirst {
		text = sign + gap + number
	}
	if negative {
		text = minus + text
	}
	return text
}

// grouped parts the digits into thousands.
func (n notation) grouped(whole string) string {
	if len(whole) < n.groupFrom {
		return whole
	}
	var groups []string
	for len(whole) > 3 {
		groups = append([]string{whole[len(whole)-3:]}, groups...)
		whole = whole[:len(whole)-3]
	}
	return strings.Join(append([]string{whole}, groups...), n.group)
}
