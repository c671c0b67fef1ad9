package mail

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"regexp"
	"strings"
)

var (
	errID         = errors.New("the mail's id must be 1 to 200 letters, digits, dots, dashes and underscores")
	errAddress    = errors.New("the customer's address is not a mail address")
	errSender     = errors.New("the store's mail_from is not a mail address")
	errNoSender   = errors.New("the store has no mail_from")
	errClosed     = errors.New("the sender is closed")
	errNoTLS      = errors.New("the server offers no STARTTLS")
	errNoLogin    = errors.New("the server offers no login that we know (SCRAM-SHA-256, PLAIN, LOGIN)")
	errLogin      = errors.New("the login failed")
	errNoUTF8     = errors.New("the server takes no addresses outside of ASCII")
	errUnreadable = errors.New("the server's answer cannot be read")
)

// failure is why a mail was not sent, or perhaps not sent. It holds the codes of
// the server's answer and never its text: servers repeat the address in it.
type failure struct {
	doing     string // the command
	code      int    // of SMTP, 0 where there was no answer
	enhanced  string // of RFC 3463, e.g. "5.1.1", or ""
	permanent bool
	// unknown is set from the final dot on: the server may have taken the mail.
	unknown bool
	cause   error // where code is 0
}

// Error implements error.
func (f *failure) Error() string {
	var s strings.Builder
	s.WriteString(f.doing + ": ")
	switch {
	case f.code != 0:
		fmt.Fprintf(&s, "the server answered %d", f.code)
		if f.enhanced != "" {
			s.WriteString(" " + f.enhanced)
		}
	default:
		s.WriteString(plainly(f.cause))
	}
	if f.unknown {
		s.WriteString("; the mail may have been taken")
	}
	return s.String()
}

// plainly says what went wrong on the way to the server, without saying where that
// is: stores read it, and the server is the operator's.
func plainly(err error) string {
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return op.Op + ": " + plainly(op.Err)
	}
	if name, ok := errors.AsType[*net.DNSError](err); ok {
		return name.Err
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return "the server's certificate is not trusted"
	}
	return err.Error()
}

// Unwrap returns the cause.
func (f *failure) Unwrap() error { return f.cause }

// Permanent tells that sending the mail again is no use: its recipient was
// refused for good, or has no address that can be written. All else may pass:
// a server that is down or busy, and what an operator can put right, such as a
// password or the right to relay.
func Permanent(err error) bool {
	f, ok := errors.AsType[*failure](err)
	return ok && f.permanent
}

func permanently(doing string, cause error) *failure {
	return &failure{doing: doing, permanent: true, cause: cause}
}

// enhancedCode is at the beginning of a server's text (RFC 2034).
var enhancedCode = regexp.MustCompile(`^[245]\.\d{1,3}\.\d{1,3}\b`)

// answered makes a failure of what a command ended with.
func answered(doing string, err error) *failure {
	f := &failure{doing: doing, cause: err}
	if reply, ok := errors.AsType[*textproto.Error](err); ok {
		f.code, f.enhanced, f.cause = reply.Code, enhancedCode.FindString(reply.Msg), nil
	} else if _, ok := errors.AsType[textproto.ProtocolError](err); ok {
		f.cause = errUnreadable // it holds the server's text
	}
	return f
}

// refusedForGood tells whether an answer to the recipient is about the
// recipient. 5.7 is about us: relaying denied, login required.
func (f *failure) refusedForGood() bool {
	return f.code >= 550 && f.code <= 559 && !strings.HasPrefix(f.enhanced, "5.7.")
}
