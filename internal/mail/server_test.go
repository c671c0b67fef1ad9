package mail_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	netmail "net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/paysvc/paysvc/internal/mail"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	user     = "shop"
	password = "correct horse/battery"
)

// server is a real SMTP server. A hook that is set decides about a command; it
// gets the number of the connection, from 1, and of the mail on it.
type server struct {
	port  int
	roots *x509.CertPool

	onMail, onRcpt, onData func(s *session) error

	mu       sync.Mutex
	numbers  map[*smtp.Conn]int
	accepted int
	open     int
	openMax  int
	mails    []*netmail.Message
	bodies   []string
	tls      []bool
	logins   int
}

// session is a connection to the server.
type session struct {
	*server
	conn  *smtp.Conn
	n     int  // of the connection
	mail  int  // of the mail on it
	utf8  bool // the mail says SMTPUTF8
	begun bool // a mail, and it was neither ended nor reset
}

type serverOptions struct {
	noTLS, implicitTLS, needLogin, utf8 bool
	hook                                func(*server)
}

func startServer(t *testing.T, o serverOptions) *server {
	t.Helper()
	certificate, roots := certify(t)
	s := &server{roots: roots, numbers: make(map[*smtp.Conn]int)}
	if o.hook != nil {
		o.hook(s)
	}
	backend := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		n, known := s.numbers[c] // a session begins anew with STARTTLS
		if !known {
			s.accepted++
			n = s.accepted
			s.numbers[c] = n
		}
		s.open++
		s.openMax = max(s.openMax, s.open)
		plain := &session{server: s, conn: c, n: n}
		if o.needLogin {
			return &loginSession{session: plain}, nil
		}
		return plain, nil
	}))
	backend.Domain, backend.ErrorLog = "mx.example", log.New(io.Discard, "", 0)
	backend.MaxMessageBytes, backend.EnableSMTPUTF8 = 16<<20, o.utf8
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s.port = listener.Addr().(*net.TCPAddr).Port
	config := &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	switch {
	case o.implicitTLS:
		listener = tls.NewListener(listener, config)
	case !o.noTLS:
		backend.TLSConfig = config
	default:
		backend.AllowInsecureAuth = true
	}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = backend.Serve(listener)
	}()
	t.Cleanup(func() {
		_ = backend.Close()
		_ = listener.Close() // the server does not know it yet if the test was quicker than its first Accept
		<-served
	})
	return s
}

func (s *session) Reset() { s.begun = false }

func (s *session) Logout() error { s.mu.Lock(); defer s.mu.Unlock(); s.open--; return nil }

func (s *session) Mail(_ string, o *smtp.MailOptions) error {
	if s.begun { // as Postfix does; go-smtp does not mind
		return &smtp.SMTPError{Code: 503, EnhancedCode: smtp.EnhancedCode{5, 5, 1}, Message: "nested MAIL command"}
	}
	s.mail++
	s.begun = true
	s.utf8 = o != nil && o.UTF8
	return hooked(s.onMail, s)
}

func (s *session) Rcpt(string, *smtp.RcptOptions) error {
	return hooked(s.onRcpt, s)
}

// Data keeps the mail, and then asks the hook what to answer.
func (s *session) Data(r io.Reader) error {
	message, err := netmail.ReadMessage(r)
	if err != nil {
		return err
	}
	body, err := io.ReadAll(message.Body)
	if err != nil {
		return err
	}
	s.mu.Lock()
	_, secure := s.conn.TLSConnectionState()
	s.mails, s.bodies, s.tls = append(s.mails, message), append(s.bodies, string(body)), append(s.tls, secure)
	s.mu.Unlock()
	return hooked(s.onData, s)
}

func hooked(hook func(*session) error, s *session) error {
	if hook == nil {
		return nil
	}
	return hook(s)
}

// hangUp drops the connection in the middle of whatever goes on.
func (s *session) hangUp() error {
	_ = s.conn.Conn().Close()
	return errors.New("hung up")
}

// loginSession takes mails only after a login.
type loginSession struct {
	*session
	loggedIn bool
}

func (*loginSession) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *loginSession) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, name, pass string) error {
		if name != user || pass != password {
			return smtp.ErrAuthFailed
		}
		s.loggedIn = true
		s.mu.Lock()
		defer s.mu.Unlock()
		s.logins++
		return nil
	}), nil
}

func (s *loginSession) Mail(from string, o *smtp.MailOptions) error {
	if !s.loggedIn {
		return smtp.ErrAuthRequired
	}
	return s.session.Mail(from, o)
}

// count reads a number that the server's goroutines write.
func (s *server) count(of *int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return *of
}

func (s *server) delivered() []*netmail.Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mails
}

// sender returns a sender to the server that hangs up when the test ends.
func sender(t *testing.T, s *server, change func(*mail.Config)) *mail.SMTP {
	t.Helper()
	c := mail.Config{
		Host: "127.0.0.1", Port: s.port, Encryption: mail.StartTLS, Roots: s.roots, Timeout: 20 * time.Second,
	}
	if change != nil {
		change(&c)
	}
	sender, err := mail.NewSMTP(c)
	require.NoError(t, err)
	t.Cleanup(sender.Close)
	return sender
}

func plain(c *mail.Config) { c.Encryption = mail.NoTLS }

func message(id string) mail.Message {
	return mail.Message{
		ID: id, From: "Shop <orders@shop.example>", To: "anna@example.org", ToName: "Anna",
		Subject: "Your order", Text: "Hello", HTML: "<p>Hello</p>", At: noon(),
	}
}

func noon() time.Time { return time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC) }

// certify makes a certificate for 127.0.0.1 and the pool that believes it.
func certify(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	form := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "mx.example"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	raw, err := x509.CreateCertificate(rand.Reader, form, form, key.Public(), key)
	require.NoError(t, err)
	leaf, err := x509.ParseCertificate(raw)
	require.NoError(t, err)
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{raw}, PrivateKey: key}, roots
}

// lean keeps an error free of what customers typed, of secrets, and of where the
// server is.
func lean(t *testing.T, err error) {
	t.Helper()
	require.Error(t, err)
	for _, personal := range []string{"anna", "example.org", "Anna", "Hello", user + ":", password, "127.0.0.1"} {
		require.False(t, strings.Contains(err.Error(), personal), "an error that is logged: %v", err)
	}
}
