package payment

import "strings"

// giftCardChars has no two characters that people take for each other without a
// check, as 0 and O or 1 and I: 32 of them, five bits each.
const giftCardChars = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"

const (
	// giftCardLength is how long the codes are that are made here: 95 random bits
	// and a check character.
	giftCardLength = 20
	giftCardGroup  = 4
	// The bounds of codes that were made elsewhere.
	giftCardShortest = 10
	giftCardLongest  = 40
)

// GiftCardCode is the code of a gift card: whoever has it has the money. It prints
// as its last four characters; Reveal returns all of it.
type GiftCardCode struct{ text string }

// GiftCardCode makes a code.
func (g *IDs) GiftCardCode() GiftCardCode {
	code := make([]byte, giftCardLength)
	for i, b := range g.random(giftCardLength - 1) {
		code[i] = giftCardChars[b&31]
	}
	// The last character makes the check come out; there is exactly one that does.
	rest := giftCardCheck(string(code[:giftCardLength-1]))
	code[giftCardLength-1] = giftCardChars[timesTwo(rest)]
	return GiftCardCode{string(code)}
}

// ParseGiftCardCode reads a code as somebody typed it: case, spaces and dashes do
// not matter. One that is as long as those that are made here must have the right
// check character, so that a typo is found before anybody is asked.
func ParseGiftCardCode(typed string) (GiftCardCode, bool) {
	if len(typed) > 4*giftCardLongest {
		return GiftCardCode{}, false
	}
	text := strings.ToUpper(strings.NewReplacer(" ", "", "\u00a0", "", "-", "", "\u2013", "").Replace(typed))
	if len(text) < giftCardShortest || len(text) > giftCardLongest ||
		strings.Trim(text, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		return GiftCardCode{}, false
	}
	return GiftCardCode{text}, len(text) != giftCardLength || giftCardCheck(text) == 0
}

// Reveal returns the code as it is shown once, in groups.
func (c GiftCardCode) Reveal() string {
	var groups []string
	for rest := c.text; rest != ""; {
		n := min(giftCardGroup, len(rest))
		groups, rest = append(groups, rest[:n]), rest[n:]
	}
	return strings.Join(groups, "-")
}

// Last4 is how people tell cards apart.
func (c GiftCardCode) Last4() string { return c.text[max(0, len(c.text)-giftCardGroup):] }

// String hides all but the last four characters.
func (c GiftCardCode) String() string { return MaskedGiftCard(c.Last4()) }

// GoString is String, so that no format prints a code.
func (c GiftCardCode) GoString() string { return c.String() }

// MaskedGiftCard is how a card is shown.
func MaskedGiftCard(last4 string) string { return "•••• " + last4 }

// giftCardCheck is 0 for a code whose check character fits. The characters are the
// digits of a polynomial over the field of 32 elements, and this is its value at
// the element 2: one wrong character, or any two that changed places, never leave
// it 0. A character that is not one of ours does not either.
func giftCardCheck(code string) byte {
	var sum byte
	for i := range len(code) {
		at := strings.IndexByte(giftCardChars, code[i])
		if at < 0 {
			return 1
		}
		sum = timesTwo(sum) ^ byte(at) //nolint:gosec // 0 to 31
	}
	return sum
}

// timesTwo multiplies by 2 in the field of 32 elements, modulo x^5 + x^2 + 1.
func timesTwo(a byte) byte {
	a <<= 1
	if a&32 != 0 {
		a ^= 0b100101
	}
	return a
}
