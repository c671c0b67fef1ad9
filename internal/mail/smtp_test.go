package mail_test

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/mail"
)

func TestAMailArrivesEncrypted(t *testing.T) {
	t.Parallel()
	for name, implicit := range map[string]bool{"STARTTLS": false, "TLS from the first byte": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := startServer(t, serverOptions{implicitTLS: implicit})
			out := sender(t, s, func(c *mail.Config) {
				if implicit {
					c.Encryption = mail.ImplicitTLS
				}
			})
			require.NoError(t, out.Send(t.Context(), message("m1")))
			require.Len(t, s.delivered(), 1)
			require.True(t, s.tls[0])
			require.Equal(t, "<m1@shop.example>", s.delivered()[0].Header.Get("Message-Id"))
		})
	}
}

func TestAServerThatCannotBeTrustedGetsNothing(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		options serverOptions
		change  func(*mail.Config)
	}{
		"an authority that nobody knows":      {serverOptions{}, func(c *mail.Config) { c.Roots = nil }},
		"the same, TLS from the first byte":   {serverOptions{implicitTLS: true}, func(c *mail.Config) { c.Roots, c.Encryption = nil, mail.ImplicitTLS }},
		"no STARTTLS":                         {serverOptions{noTLS: true}, nil},
		"opportunistic, but a wrong identity": {serverOptions{}, func(c *mail.Config) { c.Roots, c.Encryption = nil, mail.OpportunisticTLS }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := startServer(t, c.options)
			err := sender(t, s, c.change).Send(t.Context(), message("m1"))
			lean(t, err)
			require.False(t, mail.Permanent(err), "an operator can put it right")
			require.Empty(t, s.delivered())
		})
	}
}

func TestOpportunisticTLS(t *testing.T) {
	t.Parallel()
	for _, offered := range []bool{true, false} {
		s := startServer(t, serverOptions{noTLS: !offered})
		out := sender(t, s, func(c *mail.Config) { c.Encryption = mail.OpportunisticTLS })
		require.NoError(t, out.Send(t.Context(), message("m1")))
		require.Equal(t, []bool{offered}, s.tls)
	}
}

func TestLogin(t *testing.T) {
	t.Parallel()
	as := func(name, pass string) func(*mail.Config) {
		return func(c *mail.Config) { c.User, c.Password = name, mail.NewPassword(pass) }
	}
	s := startServer(t, serverOptions{needLogin: true})
	right := sender(t, s, as(user, password))
	require.NoError(t, right.Send(t.Context(), message("m1")))
	require.NoError(t, right.Send(t.Context(), message("m2")))
	require.Equal(t, 1, s.count(&s.logins), "once for each connection")

	err := sender(t, s, as(user, password+"!")).Send(t.Context(), message("m3"))
	lean(t, err)
	require.ErrorContains(t, err, "login: the server answered 535 5.7.8")
	require.False(t, mail.Permanent(err), "an operator can put it right")

	err = sender(t, s, nil).Send(t.Context(), message("m4"))
	lean(t, err)
	require.False(t, mail.Permanent(err))

	open := startServer(t, serverOptions{})
	err = sender(t, open, as(user, password)).Send(t.Context(), message("m5"))
	require.ErrorContains(t, err, "no login that we know")
	require.Empty(t, open.delivered(), "a server that asks for no login is not the one that was meant")
	require.Len(t, s.delivered(), 2)
}

func TestWhatARefusalMeans(t *testing.T) {
	t.Parallel()
	refuse := func(code int, enhanced smtp.EnhancedCode) *smtp.SMTPError {
		return &smtp.SMTPError{Code: code, EnhancedCode: enhanced, Message: "<anna@example.org>: no, Anna"}
	}
	for name, c := range map[string]struct {
		answer    *smtp.SMTPError
		permanent bool
		want      string
	}{
		"nobody of this name":         {refuse(550, smtp.EnhancedCode{5, 1, 1}), true, "recipient: the server answered 550 5.1.1"},
		"nobody, by an old server":    {refuse(550, smtp.NoEnhancedCode), true, "recipient: the server answered 550"},
		"greylisted":                  {refuse(450, smtp.EnhancedCode{4, 7, 1}), false, "recipient: the server answered 450 4.7.1"},
		"we may not relay":            {refuse(554, smtp.EnhancedCode{5, 7, 1}), false, "recipient: the server answered 554 5.7.1"},
		"we say something strange":    {refuse(501, smtp.EnhancedCode{5, 5, 4}), false, "recipient: the server answered 501 5.5.4"},
		"the server is shutting down": {refuse(421, smtp.EnhancedCode{4, 3, 2}), false, "recipient: the server answered 421 4.3.2"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := startServer(t, serverOptions{noTLS: true, hook: func(s *server) {
				s.onRcpt = func(at *session) error {
					if at.mail == 1 && at.n == 1 {
						return c.answer
					}
					return nil
				}
			}})
			out := sender(t, s, plain)
			err := out.Send(t.Context(), message("m1"))
			lean(t, err)
			require.ErrorContains(t, err, c.want)
			require.Equal(t, c.permanent, mail.Permanent(err))
			require.Empty(t, s.delivered())
			require.NoError(t, out.Send(t.Context(), message("m2")), "the next mail is not hurt")
		})
	}
}

func TestARefusedMailMayBeSentAgain(t *testing.T) {
	t.Parallel()
	s := startServer(t, serverOptions{noTLS: true, hook: func(s *server) {
		s.onData = func(*session) error { return &smtp.SMTPError{Code: 554, Message: "Anna's mail looks like spam"} }
	}})
	err := sender(t, s, plain).Send(t.Context(), message("m1"))
	lean(t, err)
	require.ErrorContains(t, err, "end of the mail: the server answered 554")
	require.NotContains(t, err.Error(), "may have been taken")
	require.False(t, mail.Permanent(err))
}

func TestAServerThatIsDown(t *testing.T) {
	t.Parallel()
	s := startServer(t, serverOptions{noTLS: true})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	gone := listener.Addr().(*net.TCPAddr).Port
	require.NoError(t, listener.Close())
	out := sender(t, s, func(c *mail.Config) { plain(c); c.Port = gone })
	err = out.Send(t.Context(), message("m1"))
	lean(t, err)
	require.ErrorContains(t, err, "connect: ")
	require.False(t, mail.Permanent(err))
}

func TestAServerThatDropsTheMail(t *testing.T) {
	t.Parallel()
	for name, keepIt := range map[string]bool{"in the middle": false, "taken, and no answer": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := startServer(t, serverOptions{noTLS: true, hook: func(s *server) {
				drop := func(at *session) error {
					if at.mail == 2 {
						return at.hangUp()
					}
					return nil
				}
				if s.onData = drop; !keepIt {
					s.onData, s.onRcpt = nil, func(at *session) error {
						if at.mail == 2 {
							go func() { _ = at.conn.Conn().Close() }() // while the mail is being sent
						}
						return nil
					}
				}
			}})
			out := sender(t, s, plain)
			require.NoError(t, out.Send(t.Context(), message("m1")), "so that the next goes over a kept connection")
			big := message("m2")
			big.Text = strings.Repeat("A line of a very long mail.\n", 200_000)
			err := out.Send(t.Context(), big)
			if !keepIt {
				// It may have failed before the end of the mail, and then went over another connection.
				if err != nil {
					lean(t, err)
					require.NoError(t, out.Send(t.Context(), big))
				}
				require.Len(t, s.delivered(), 2)
				return
			}
			lean(t, err)
			require.ErrorContains(t, err, "may have been taken")
			require.False(t, mail.Permanent(err))
			require.Len(t, s.delivered(), 2, "it is not sent again by itself")
			require.NoError(t, out.Send(t.Context(), big), "the job sends it again")
			require.Equal(t, s.delivered()[1].Header, s.delivered()[2].Header, "it is the same mail to whoever reads it")
			require.Equal(t, s.bodies[1], s.bodies[2])
		})
	}
}

func TestAServerThatSaysNothing(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0") // the kernel connects, and nobody speaks
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	silent := &server{port: listener.Addr().(*net.TCPAddr).Port}

	out := sender(t, silent, func(c *mail.Config) { plain(c); c.Timeout = 50 * time.Millisecond })
	err = out.Send(t.Context(), message("m1"))
	lean(t, err)
	require.ErrorIs(t, err, context.DeadlineExceeded)

	ctx, cancel := context.WithCancel(t.Context())
	out = sender(t, silent, plain)
	time.AfterFunc(20*time.Millisecond, cancel)
	require.ErrorIs(t, out.Send(ctx, message("m1")), context.Canceled)
}

func TestAServerThatHangsInTheMiddle(t *testing.T) {
	t.Parallel()
	asked, released := make(chan struct{}), make(chan struct{})
	s := startServer(t, serverOptions{hook: func(s *server) {
		s.onData = func(at *session) error {
			if at.n == 1 {
				close(asked)
				<-released
			}
			return nil
		}
	}})
	out := sender(t, s, func(c *mail.Config) { c.MaxConnections = 1 })
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- out.Send(ctx, message("m1")) }()
	select {
	case <-asked:
	case err := <-done:
		require.NoError(t, err, "before the server was asked")
	}

	waiting, stop := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer stop()
	err := out.Send(waiting, message("m2"))
	require.ErrorIs(t, err, context.DeadlineExceeded, "the only connection is in use")

	cancel()
	err = <-done
	lean(t, err)
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorContains(t, err, "may have been taken")
	close(released)
	require.NoError(t, out.Send(t.Context(), message("m3")), "over another connection")
}
