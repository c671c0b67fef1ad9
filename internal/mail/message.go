package mail

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	netmail "net/mail"
	"regexp"
	"strings"
	"time"
	"unicode"

	gomail "github.com/wneessen/go-mail"
)

// Message is a mail to one person.
type Message struct {
	// ID is the same whenever the same mail is sent again. It names the file in
	// a folder and is the Message-ID: letters, digits, ".", "_" and "-".
	ID string
	// From is an address, perhaps with a name: "Shop <orders@shop.example>".
	From string
	// To is a bare address; ToName is what its owner is called, or "".
	To     string
	ToName string
	// Subject becomes one line, whatever it holds.
	Subject string
	Text    string
	HTML    string // "": the mail has only text
	At      time.Time
}

// Bounds of what goes into one header. A name without spaces cannot be folded,
// and a line has at most 998 characters (RFC 5322, 2.1.1).
const (
	subjectRunesMax = 200
	nameRunesMax    = 100
)

// validID keeps an ID fit for a file name and a Message-ID.
var validID = regexp.MustCompile(`^[A-Za-z0-9._-]{1,200}$`)

// envelope is a message as a server takes it.
type envelope struct {
	from, to string // as "<a@b.example>"; from is "" where there is no sender
	raw      []byte
	// international tells that an address has other than ASCII characters, which
	// only a server with SMTPUTF8 takes (RFC 6531).
	international bool
}

// envelope writes the message out.
func (m Message) envelope() (envelope, error) {
	if !validID.MatchString(m.ID) {
		return envelope{}, permanently("write", errID)
	}
	to, err := netmail.ParseAddress("<" + m.To + ">")
	if err != nil {
		return envelope{}, permanently("write", errAddress)
	}
	to.Name = name(m.ToName)
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent(), gomail.WithBoundary(boundary(m)))
	msg.SetAddrHeaderFromMailAddress(gomail.HeaderTo, to)
	e := envelope{to: bare(to), international: !ascii(to.Address)}
	domain := "paysvc"
	if m.From != "" {
		from, err := netmail.ParseAddress(m.From)
		if err != nil {
			return envelope{}, &failure{doing: "write", cause: errSender}
		}
		from.Name = name(from.Name)
		msg.SetAddrHeaderFromMailAddress(gomail.HeaderFrom, from)
		e.from, e.international = bare(from), e.international || !ascii(from.Address)
		if at := strings.LastIndexByte(from.Address, '@'); ascii(from.Address) {
			domain = from.Address[at+1:]
		}
	}
	msg.Subject(clip(line(m.Subject), subjectRunesMax))
	msg.SetDateWithValue(m.At)
	msg.SetMessageIDWithValue(m.ID + "@" + domain)
	// Out-of-office answers stay away from what a machine wrote (RFC 3834).
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetBodyString(gomail.TypeTextPlain, m.Text)
	if m.HTML != "" {
		msg.AddAlternativeString(gomail.TypeTextHTML, m.HTML)
	}
	var raw bytes.Buffer
	if _, err := msg.WriteTo(&raw); err != nil {
		return envelope{}, fmt.Errorf("write the mail: %w", err)
	}
	e.raw = raw.Bytes()
	return e, nil
}

// boundary parts text and HTML. It depends on both, so nobody can write it into
// either, and the same mail has the same one.
func boundary(m Message) string {
	sum := sha256.Sum256([]byte(m.ID + "\x00" + m.Text + "\x00" + m.HTML))
	return hex.EncodeToString(sum[:])
}

// bare is an address for the envelope, without the name.
func bare(a *netmail.Address) string { return (&netmail.Address{Address: a.Address}).String() }

// line makes a value fit for one line that a person reads: no line breaks, no
// control characters, none that turn the direction of writing, and nothing that
// a reader of mail would decode.
func line(value string) string {
	value = strings.Map(func(r rune) rune {
		switch {
		case unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp):
			return ' '
		case unicode.Is(unicode.Bidi_Control, r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(value, "\uFFFD"))
	return strings.ReplaceAll(strings.Join(strings.Fields(value), " "), "=?", "= ?")
}

// name makes a value fit for the name before an address. In a name outside of
// ASCII the standard library writes a backslash that it cannot read again
// itself, and neither can others.
func name(value string) string {
	return strings.ReplaceAll(clip(line(value), nameRunesMax), `\`, "/")
}

// clip shortens a value to so many characters.
func clip(value string, runesMax int) string {
	if runes := []rune(value); len(runes) > runesMax {
		return string(runes[:runesMax-1]) + "…"
	}
	return value
}

func ascii(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r > unicode.MaxASCII })
}
