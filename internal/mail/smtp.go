package mail

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// SMTP hands mails to a server. Its connections are kept for the next mail, for
// a while. It is safe for use by many at once.
type SMTP struct {
	config Config
	slots  chan struct{} // one token for each connection in use

	mu     sync.Mutex
	idle   []*connection
	closed bool
}

// NewSMTP returns the sender; it connects with the first mail.
func NewSMTP(c Config) (*SMTP, error) {
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("mail server: %w", err)
	}
	c = c.withDefaults()
	return &SMTP{config: c, slots: make(chan struct{}, c.MaxConnections)}, nil
}

// Send hands the mail over. An error that is not Permanent leaves it to the
// caller to send the same message again; after one that came between the end of
// the mail and the server's answer, the customer may get it twice, under one
// Message-ID.
func (s *SMTP) Send(ctx context.Context, m Message) error {
	e, err := m.envelope()
	if err == nil && e.from == "" {
		err = &failure{doing: "write", cause: errNoSender}
	}
	if err != nil {
		return fmt.Errorf("mail %q: %w", m.ID, err)
	}
	ctx, cancel := context.WithTimeout(ctx, s.config.Timeout)
	defer cancel()
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	case <-ctx.Done():
		return fmt.Errorf("mail %s: wait for a connection: %w", m.ID, ctx.Err())
	}
	if err := s.deliver(ctx, e); err != nil {
		return fmt.Errorf("mail %s: %w", m.ID, err)
	}
	return nil
}

// deliver sends over a kept connection or a new one. A kept one may have died
// unnoticed; if it did before the end of the mail, the server has nothing, and
// the mail is sent once more, over a new connection.
func (s *SMTP) deliver(ctx context.Context, e envelope) error {
	c, kept, err := s.take(ctx)
	if err != nil {
		return err
	}
	failed := c.deliver(ctx, e)
	if failed != nil && kept && c.broken && !failed.unknown && ctx.Err() == nil {
		c.abandon()
		if c, err = s.dial(ctx); err != nil {
			return err
		}
		failed = c.deliver(ctx, e)
	}
	s.keep(c)
	if failed != nil {
		return failed
	}
	return nil
}

// take returns a kept connection that answers, or a new one.
func (s *SMTP) take(ctx context.Context) (c *connection, kept bool, err error) {
	s.mu.Lock()
	closed := s.closed
	if last := len(s.idle) - 1; last >= 0 && !closed {
		c, s.idle = s.idle[last], s.idle[:last]
	}
	s.mu.Unlock()
	if closed {
		return nil, false, errClosed
	}
	if c != nil {
		c.expiry.Stop()
		if c.alive(ctx) {
			return c, true, nil
		}
		c.abandon()
		// Where one was dropped, so were most likely all: the server was restarted,
		// or the network forgot us.
		for _, other := range s.empty() {
			other.abandon()
		}
	}
	c, err = s.dial(ctx)
	return c, false, err
}

// keep puts a connection back for the next mail, unless it is worn out.
func (s *SMTP) keep(c *connection) {
	if c.broken {
		c.abandon()
		return
	}
	s.mu.Lock()
	room := !s.closed && c.sent < s.config.MaxMessages
	if room {
		c.expiry = time.AfterFunc(s.config.IdleTimeout, func() { s.expire(c) })
		s.idle = append(s.idle, c)
	}
	s.mu.Unlock()
	if !room {
		c.quit()
	}
}

// expire ends a connection that nobody took in time.
func (s *SMTP) expire(c *connection) {
	s.mu.Lock()
	found := false
	for i, other := range s.idle {
		if other == c {
			s.idle, found = append(s.idle[:i:i], s.idle[i+1:]...), true
			break
		}
	}
	s.mu.Unlock()
	if found { // otherwise a Send has it
		c.quit()
	}
}

// empty takes all kept connections out.
func (s *SMTP) empty() []*connection {
	s.mu.Lock()
	defer s.mu.Unlock()
	idle := s.idle
	s.idle = nil
	for _, c := range idle {
		c.expiry.Stop()
	}
	return idle
}

// Close ends the kept connections. A Send under way ends its own; one that comes
// later is refused.
func (s *SMTP) Close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	var all sync.WaitGroup
	for _, c := range s.empty() {
		all.Go(c.quit)
	}
	all.Wait()
}
