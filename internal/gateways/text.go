package gateways

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/paysvc/paysvc/internal/payment"
)

// Bounds of what is kept of a PSP's words.
const (
	IDMaxBytes      = 255
	codeMaxBytes    = 64
	messageMaxBytes = 300
	referenceBytes  = 20
)

// PlainID tells whether a PSP's name for something can be kept as it is: 1 to
// IDMaxBytes visible ASCII characters. NUL in particular would be refused by the
// database after money has moved.
func PlainID(s string) bool {
	if s == "" || len(s) > IDMaxBytes {
		return false
	}
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// OurReference tells whether s has the form of a reference that we made. What
// the PSP began by itself, or another program with the same account, has another.
func OurReference(s string) bool {
	return len(s) == referenceBytes && strings.Trim(s, "0123456789ABCDEFGHJKMNPQRSTVWXYZ") == ""
}

// PlainReason makes a Reason of a PSP's words that is safe to keep and to show:
// a short lower-case code, a message of one line, a decline that is known.
func PlainReason(code, message, decline string) payment.Reason {
	r := payment.Reason{Code: plainCode(code), Message: plainLine(message)}
	if decline == "soft" || decline == "hard" {
		r.Decline = decline
	}
	return r
}

func plainCode(s string) string {
	code := strings.Map(func(c rune) rune {
		switch {
		case c >= 'A' && c <= 'Z':
			return c + 'a' - 'A'
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '_', c == '.':
			return c
		case c == '-', c == ' ':
			return '_'
		}
		return -1
	}, s)
	return code[:min(len(code), codeMaxBytes)]
}

func plainLine(s string) string {
	var line strings.Builder
	for _, c := range s {
		if c == utf8.RuneError || !unicode.IsPrint(c) {
			c = ' '
		}
		if line.Len()+utf8.RuneLen(c) > messageMaxBytes {
			break
		}
		line.WriteRune(c)
	}
	return strings.TrimSpace(line.String())
}
