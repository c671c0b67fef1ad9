package httpkit

import "strings"

// Card numbers have 13 to 19 digits (ISO/IEC 7812).
const (
	cardDigitsMin = 13
	cardDigitsMax = 19
	// hexIDMaxBytes is the length of a SHA-512 digest. The bound also keeps the
	// work in proportion to the text.
	hexIDMaxBytes = 128
)

// ContainsCardNumber is true if text holds 13 to 19 digits that pass the Luhn
// check, together or in groups parted by single spaces or dashes, whatever
// stands around them. Groups are looked at in every combination of neighbours,
// so that a number followed by an expiry date is still found. Hexadecimal ids
// (UUIDs, digests) are passed over, because a run of their digits passes one
// time in ten.
func ContainsCardNumber(text string) bool {
	_, _, found := findCardNumber(text)
	return found
}

// RedactCardNumbers replaces every card number in text.
func RedactCardNumbers(text string) string {
	redacted := ""
	for {
		start, end, found := findCardNumber(text)
		if !found {
			return redacted + text
		}
		redacted += text[:start] + "[card]"
		text = text[end:]
	}
}

// group is a run of digits in a text.
type group struct{ start, end int }

func findCardNumber(text string) (start, end int, found bool) {
	if len(text) < cardDigitsMin {
		return 0, 0, false
	}
	var store [cardDigitsMax]group // on the stack
	groups := store[:0]
	for i := 0; i < len(text); {
		if !isDigit(text[i]) {
			i++
			continue
		}
		g := group{start: i}
		for i < len(text) && isDigit(text[i]) {
			i++
		}
		g.end = i
		if len(groups) > 0 && !joined(text, groups[len(groups)-1], g) {
			groups = groups[:0]
		}
		if len(groups) == cardDigitsMax { // more cannot be part of one number
			groups = append(groups[:0], groups[1:]...)
		}
		groups = append(groups, g)
		if first, ok := endsInCard(text, groups); ok {
			return first, g.end, true
		}
	}
	return 0, 0, false
}

// joined is true if only one space or dash stands between two groups.
func joined(text string, a, b group) bool {
	return b.start-a.end == 1 && (text[a.end] == ' ' || text[a.end] == '-')
}

// endsInCard tries every number of last groups; a number has at most 19, so
// that is the bound of the work, however long the text.
func endsInCard(text string, groups []group) (start int, found bool) {
	last := groups[len(groups)-1]
	digits := 0
	for i := len(groups) - 1; i >= 0; i-- {
		digits += groups[i].end - groups[i].start
		if digits > cardDigitsMax {
			return 0, false
		}
		start = groups[i].start
		if digits >= cardDigitsMin && luhn(text[start:last.end]) && !inHexID(text, start, last.end) {
			return start, true
		}
	}
	return 0, false
}

// luhn is the check of ISO/IEC 7812-1 annex B over the digits of text.
func luhn(text string) bool {
	sum, double := 0, false
	for i := len(text) - 1; i >= 0; i-- {
		if !isDigit(text[i]) {
			continue
		}
		digit := int(text[i] - '0')
		if double {
			digit *= 2
			if digit > 9 {
				digit -= 9
			}
		}
		sum += digit
		double = !double
	}
	return sum%10 == 0
}

// inHexID is true if the digits stand in a UUID, or in 32 to 128 hexadecimal
// digits of which at least four are letters.
func inHexID(text string, start, end int) bool {
	for start > 0 && isHexOrDash(text[start-1]) && end-start <= hexIDMaxBytes {
		start--
	}
	for end < len(text) && isHexOrDash(text[end]) && end-start <= hexIDMaxBytes {
		end++
	}
	if end-start > hexIDMaxBytes {
		return false
	}
	word := text[start:end]
	letters := 0
	for i := range len(word) {
		if !isHexOrDash(word[i]) {
			return false // a space between groups of digits
		}
		if word[i] != '-' && !isDigit(word[i]) {
			letters++
		}
	}
	if strings.IndexByte(word, '-') < 0 {
		return len(word) >= 32 && letters >= 4
	}
	return letters >= 1 && len(word) == 36 && strings.Count(word, "-") == 4 &&
		word[8] == '-' && word[13] == '-' && word[18] == '-' && word[23] == '-'
}

func isDigit(c byte) bool { return c-'0' < 10 }

func isHexOrDash(c byte) bool {
	return isDigit(c) || c == '-' || (c|0x20 >= 'a' && c|0x20 <= 'f')
}
