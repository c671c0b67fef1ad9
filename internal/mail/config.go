package mail

import (
	"cmp"
	"crypto/x509"
	"errors"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Encryption says how a connection to the mail server is kept private.
type Encryption string

// The encryptions. Certificates are verified wherever there is TLS.
const (
	// StartTLS begins in clear and turns to TLS before anything is said; a server
	// that offers none is refused.
	StartTLS Encryption = "starttls"
	// ImplicitTLS is TLS from the first byte.
	ImplicitTLS Encryption = "implicit"
	// OpportunisticTLS takes STARTTLS where it is offered and sends in clear where
	// not: whoever sits between us and the server can read the mails. It never
	// goes with a password.
	OpportunisticTLS Encryption = "opportunistic"
	// NoTLS is for a server on this machine only.
	NoTLS Encryption = "none"
)

// Config is how mails are handed to a server. What is zero gets its default.
type Config struct {
	Host       string
	Port       int
	Encryption Encryption
	User       string // "": no login
	Password   Password
	// Hello is the name that we say is ours; "localhost" by default, which some
	// servers refuse.
	Hello string
	// Roots are the authorities believed; nil: those of the system.
	Roots *x509.CertPool

	MaxConnections int           // at once; 4
	MaxMessages    int           // over one connection; 100
	IdleTimeout    time.Duration // that a connection is kept for the next mail; 30 s
	Timeout        time.Duration // of one Send, waiting for a free connection included; 1 minute
}

// The ports of submission (RFC 6409, RFC 8314).
const (
	portStartTLS    = 587
	portImplicitTLS = 465
)

var (
	errURL       = errors.New("must be smtp://user:password@host:587 or smtps://user:password@host:465; escape special characters of user and password (%40 for @)")
	errURLQuery  = errors.New("may end in ?tls=opportunistic or ?tls=none, of smtp:// only, and in nothing else")
	errURLLogin  = errors.New("must name both user and password, or neither")
	errPlainText = errors.New("tls=none is for a server on this machine (localhost) only")
	errPlainPass = errors.New("a password needs TLS: leave tls=opportunistic out")
	errBounds    = errors.New("connections, messages and time-outs must not be negative")
)

// ParseURL reads where mails go:
//
//	smtp://user:password@host:587     STARTTLS, required
//	smtps://user:password@host:465    TLS from the beginning
//	smtp://host:25?tls=opportunistic  STARTTLS if offered; without user and password
//	smtp://localhost:1025?tls=none    no TLS; a loopback host only
//
// No error repeats a part of the URL: the password stands in it.
func ParseURL(raw string) (Config, error) {
	u, err := url.Parse(strings.TrimSpace(raw))
	if err != nil || u.Hostname() == "" || u.Opaque != "" || u.Fragment != "" || u.Path != "" && u.Path != "/" {
		return Config{}, errURL
	}
	c := Config{Host: u.Hostname()}
	switch u.Scheme {
	case "smtp":
		c.Port, c.Encryption = portStartTLS, StartTLS
	case "smtps":
		c.Port, c.Encryption = portImplicitTLS, ImplicitTLS
	default:
		return Config{}, errURL
	}
	if port := u.Port(); port != "" {
		if c.Port, err = strconv.Atoi(port); err != nil {
			return Config{}, errURL
		}
	}
	if err := c.encrypt(u); err != nil {
		return Config{}, err
	}
	plain, _ := u.User.Password()
	c.User, c.Password = u.User.Username(), NewPassword(plain)
	return c, c.check()
}

// encrypt reads the query.
func (c *Config) encrypt(u *url.URL) error {
	if u.RawQuery == "" {
		return nil
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil || len(query) != 1 || len(query["tls"]) != 1 || c.Encryption != StartTLS {
		return errURLQuery
	}
	switch e := Encryption(query.Get("tls")); e {
	case OpportunisticTLS, NoTLS:
		c.Encryption = e
		return nil
	default:
		return errURLQuery
	}
}

// check refuses what would send a mail or a password in clear by accident.
func (c *Config) check() error {
	login := c.User != ""
	switch {
	case c.Host == "" || c.Port < 1 || c.Port > 65535 || strings.ContainsAny(c.Host+c.User+c.Hello, "\r\n"):
		return errURL
	case login != (c.Password.Reveal() != ""):
		return errURLLogin
	case c.MaxConnections < 0 || c.MaxMessages < 0 || c.IdleTimeout < 0 || c.Timeout < 0:
		return errBounds
	}
	switch c.Encryption {
	case StartTLS, ImplicitTLS:
		return nil
	case OpportunisticTLS:
		if login {
			return errPlainPass
		}
		return nil
	case NoTLS:
		if !loopback(c.Host) {
			return errPlainText
		}
		return nil
	default:
		return errURLQuery
	}
}

func (c *Config) withDefaults() Config {
	d := *c
	d.Hello = cmp.Or(c.Hello, "localhost")
	d.MaxConnections = cmp.Or(c.MaxConnections, 4)
	d.MaxMessages = cmp.Or(c.MaxMessages, 100)
	d.IdleTimeout = cmp.Or(c.IdleTimeout, 30*time.Second)
	d.Timeout = cmp.Or(c.Timeout, time.Minute)
	return d
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}
