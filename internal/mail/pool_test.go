package mail_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/mail"
)

func TestConnectionsAreKept(t *testing.T) {
	t.Parallel()
	s := startServer(t, serverOptions{})
	out := sender(t, s, func(c *mail.Config) { c.MaxMessages = 4 })
	for i := range 10 {
		require.NoError(t, out.Send(t.Context(), message(fmt.Sprint("m", i))))
	}
	require.Len(t, s.delivered(), 10)
	require.Equal(t, 3, s.count(&s.accepted), "4, 4 and 2 mails")
}

func TestConnectionsAreBounded(t *testing.T) {
	t.Parallel()
	s := startServer(t, serverOptions{noTLS: true})
	out := sender(t, s, func(c *mail.Config) { plain(c); c.MaxConnections = 3 })
	var all sync.WaitGroup
	for i := range 60 {
		all.Go(func() {
			if err := out.Send(t.Context(), message(fmt.Sprint("m", i))); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	seen := make(map[string]bool)
	for _, m := range s.delivered() {
		seen[m.Header.Get("Message-Id")] = true
	}
	require.Len(t, seen, 60)
	require.Len(t, s.delivered(), 60, "each once")
	require.LessOrEqual(t, s.count(&s.openMax), 3)
	require.LessOrEqual(t, s.count(&s.accepted), 3)
}

func TestAKeptConnectionThatDied(t *testing.T) {
	t.Parallel()
	for name, drop := range map[string]func(s *server, keep func(*session)){
		"while it was kept": func(s *server, keep func(*session)) {
			s.onMail = func(at *session) error { keep(at); return nil }
		},
		"at the next mail": func(s *server, _ func(*session)) {
			s.onMail = func(at *session) error {
				if at.n == 1 && at.mail == 2 {
					return at.hangUp()
				}
				return nil
			}
		},
		"at the recipient": func(s *server, _ func(*session)) {
			s.onRcpt = func(at *session) error {
				if at.n == 1 && at.mail == 2 {
					return at.hangUp()
				}
				return nil
			}
		},
		"told politely": func(s *server, _ func(*session)) {
			s.onMail = func(at *session) error {
				if at.n == 1 && at.mail == 2 {
					return &smtp.SMTPError{Code: 421, Message: "that is enough"}
				}
				return nil
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var first *session
			s := startServer(t, serverOptions{hook: func(s *server) {
				drop(s, func(at *session) {
					if at.n == 1 {
						first = at
					}
				})
			}})
			out := sender(t, s, nil)
			require.NoError(t, out.Send(t.Context(), message("m1")))
			if first != nil {
				_ = first.hangUp()
			}
			require.NoError(t, out.Send(t.Context(), message("m2")))
			require.Len(t, s.delivered(), 2, "neither lost nor sent twice")
			require.Equal(t, 2, s.count(&s.accepted))
		})
	}
}

func TestANewConnectionThatDiesIsNotTriedAgain(t *testing.T) {
	t.Parallel()
	s := startServer(t, serverOptions{noTLS: true, hook: func(s *server) { s.onMail = (*session).hangUp }})
	err := sender(t, s, plain).Send(t.Context(), message("m1"))
	lean(t, err)
	require.Equal(t, 1, s.count(&s.accepted), "the job decides when the next try is")
}

func TestAConnectionThatNobodyNeedsIsClosed(t *testing.T) {
	t.Parallel()
	s := startServer(t, serverOptions{noTLS: true})
	out := sender(t, s, func(c *mail.Config) { plain(c); c.IdleTimeout = time.Millisecond })
	require.NoError(t, out.Send(t.Context(), message("m1")))
	require.Eventually(t, func() bool { return s.count(&s.open) == 0 }, 10*time.Second, time.Millisecond)
	require.NoError(t, out.Send(t.Context(), message("m2")))
	require.Equal(t, 2, s.count(&s.accepted))
}

func TestAClosedSender(t *testing.T) {
	t.Parallel()
	s := startServer(t, serverOptions{noTLS: true})
	out := sender(t, s, plain)
	require.NoError(t, out.Send(t.Context(), message("m1")))
	out.Close()
	out.Close()
	require.Eventually(t, func() bool { return s.count(&s.open) == 0 }, 10*time.Second, time.Millisecond)
	require.ErrorContains(t, out.Send(t.Context(), message("m2")), "closed")
}
