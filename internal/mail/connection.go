package mail

import (
	"context"
	"crypto/tls"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wneessen/go-mail/smtp"
)

// How long a server may take over what is not a mail.
const (
	probeTimeout = 5 * time.Second
	quitTimeout  = 2 * time.Second
)

// connection is one to the server, used by one Send at a time. The commands are
// given one by one, and not by go-mail's Client: it does not tell whether an
// error came before or after the end of a mail, and leaves the connection open
// when a greeting or a login fails.
type connection struct {
	raw    net.Conn
	client *smtp.Client
	sent   int // mails begun
	// broken is set when the connection is of no more use.
	broken bool
	expiry *time.Timer // while it is kept
}

// dial connects, encrypts and logs in.
func (s *SMTP) dial(ctx context.Context) (*connection, error) {
	var d net.Dialer
	raw, err := d.DialContext(ctx, "tcp", net.JoinHostPort(s.config.Host, strconv.Itoa(s.config.Port)))
	if err != nil {
		return nil, &failure{doing: "connect", cause: err}
	}
	c := &connection{raw: raw}
	defer c.within(ctx)()
	if failed := c.open(ctx, &s.config); failed != nil {
		c.abandon()
		return nil, failed
	}
	return c, nil
}

func (c *connection) open(ctx context.Context, config *Config) *failure {
	secure := &tls.Config{ServerName: config.Host, RootCAs: config.Roots, MinVersion: tls.VersionTLS12}
	conn := c.raw
	if config.Encryption == ImplicitTLS {
		wrapped := tls.Client(c.raw, secure)
		if err := wrapped.HandshakeContext(ctx); err != nil {
			return c.failed(ctx, "tls", err)
		}
		conn = wrapped
	}
	var err error
	if c.client, err = smtp.NewClient(conn, config.Host); err != nil {
		return c.failed(ctx, "greeting", err)
	}
	if err := c.client.Hello(config.Hello); err != nil {
		return c.failed(ctx, "hello", err)
	}
	if failed := c.startTLS(ctx, config.Encryption, secure); failed != nil {
		return failed
	}
	return c.login(ctx, config)
}

func (c *connection) startTLS(ctx context.Context, how Encryption, secure *tls.Config) *failure {
	if how != StartTLS && how != OpportunisticTLS {
		return nil
	}
	offered, _ := c.client.Extension("STARTTLS")
	switch {
	case offered:
		if err := c.client.StartTLS(secure); err != nil {
			return c.failed(ctx, "starttls", err)
		}
	case how == StartTLS:
		return &failure{doing: "starttls", cause: errNoTLS}
	}
	return nil
}

// login takes the strongest way that both know.
func (c *connection) login(ctx context.Context, config *Config) *failure {
	if config.User == "" {
		return nil
	}
	_, offered := c.client.Extension("AUTH")
	ways := strings.Fields(strings.ToUpper(offered))
	// Only a server on this machine is ever reached without TLS and with a
	// password, see Config.check.
	inClear := config.Encryption == NoTLS
	password := config.Password.Reveal()
	var auth smtp.Auth
	switch {
	case slices.Contains(ways, "SCRAM-SHA-256"):
		auth = smtp.ScramSHA256Auth(config.User, password)
	case slices.Contains(ways, "PLAIN"):
		auth = smtp.PlainAuth("", config.User, password, config.Host, inClear)
	case slices.Contains(ways, "LOGIN"):
		auth = smtp.LoginAuth(config.User, password, config.Host, inClear)
	default:
		return &failure{doing: "login", cause: errNoLogin}
	}
	if err := c.client.Auth(auth); err != nil {
		failed := c.failed(ctx, "login", err)
		if failed.code == 0 && ctx.Err() == nil {
			failed.cause = errLogin // the library's error may hold what was exchanged
		}
		return failed
	}
	return nil
}

// deliver sends one mail.
func (c *connection) deliver(ctx context.Context, e envelope) *failure {
	defer c.within(ctx)()
	c.sent++
	if utf8, _ := c.client.Extension("SMTPUTF8"); e.international && !utf8 {
		return permanently("recipient", errNoUTF8)
	}
	// A mail that says SMTPUTF8 bounces at the first relay that has it not, so it
	// is said only where it must be.
	c.client.SkipSMTPUTF8(!e.international)
	if err := c.client.Mail(e.from); err != nil {
		return c.failed(ctx, "sender", err)
	}
	if err := c.client.Rcpt(e.to); err != nil {
		failed := c.failed(ctx, "recipient", err)
		failed.permanent = failed.refusedForGood()
		return failed
	}
	content, err := c.client.Data()
	if err != nil {
		return c.failed(ctx, "data", err)
	}
	// Closing the content sends the final dot: after a failed write it must not be
	// closed, or half a mail would be delivered.
	if _, err := content.Write(e.raw); err != nil {
		return c.failed(ctx, "content", err)
	}
	if err := content.Close(); err != nil {
		failed := c.failed(ctx, "end of the mail", err)
		failed.unknown = failed.code == 0
		return failed
	}
	return nil
}

// failed sorts an error: an answer leaves the connection usable, unless it says
// that the server hangs up (421); all else does not.
func (c *connection) failed(ctx context.Context, doing string, err error) *failure {
	f := answered(doing, err)
	if f.code == 0 || f.code == 421 {
		c.broken = true
	}
	if cause := ctx.Err(); f.code == 0 && cause != nil {
		f.cause = cause // and not that we closed the connection because of it
	}
	return f
}

// alive resets the conversation, which a dead connection does not survive.
func (c *connection) alive(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	stop := c.within(ctx)
	err := c.client.Reset()
	stop()
	return err == nil && !c.broken
}

// within closes the connection when the context ends, which ends whatever waits
// for the server. The caller calls what it returns when it waits no more.
func (c *connection) within(ctx context.Context) (stop func()) {
	release := context.AfterFunc(ctx, c.abandon)
	return func() {
		if !release() {
			c.broken = true
		}
	}
}

// quit takes leave.
func (c *connection) quit() {
	late := time.AfterFunc(quitTimeout, c.abandon)
	defer late.Stop()
	_ = c.client.Quit() // it is over either way
	c.abandon()
}

// abandon closes the connection without a word.
func (c *connection) abandon() { _ = c.raw.Close() } // it may be closed already
