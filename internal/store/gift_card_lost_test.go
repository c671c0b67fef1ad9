package store_test

import (
	"bytes"
	"io"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/store"
)

// cutter stands between a store and its database, and cuts connections when they
// send COMMIT: before it arrives, or after it was answered.
type cutter struct {
	listener net.Listener
	target   string
	after    bool
	left     atomic.Int64 // how often it still cuts
	wg       sync.WaitGroup
}

var commit = []byte("Q\x00\x00\x00\x0bcommit\x00")

// cut opens a store whose connections go through a cutter.
func (b *bundle) cut(times int64, after bool) *store.Store {
	b.t.Helper()
	u, err := url.Parse(b.url)
	require.NoError(b.t, err)
	c := &cutter{target: u.Host, after: after}
	c.listener, err = net.Listen("tcp", "127.0.0.1:0")
	require.NoError(b.t, err)
	c.wg.Go(c.serve)
	u.Host = c.listener.Addr().String()
	s, err := store.Open(b.t.Context(), u.String(), store.Options{NewID: b.ids.New, GiftCardKey: cardKey(b.t, 1)})
	require.NoError(b.t, err)
	c.left.Store(times)
	b.t.Cleanup(func() {
		s.Close()
		_ = c.listener.Close()
		c.wg.Wait()
	})
	return s
}

func (c *cutter) serve() {
	for {
		client, err := c.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", c.target)
		if err != nil {
			_ = client.Close()
			return
		}
		c.wg.Go(func() { c.forward(client, server) })
	}
}

func (c *cutter) forward(client, server net.Conn) {
	var cutting atomic.Bool
	c.wg.Go(func() {
		defer func() { _ = client.Close() }()
		chunk := make([]byte, 64<<10)
		for {
			n, err := server.Read(chunk)
			if err != nil || cutting.Load() {
				return // the answer to COMMIT is lost
			}
			if _, err := client.Write(chunk[:n]); err != nil {
				return
			}
		}
	})
	defer func() { _ = server.Close() }()
	chunk := make([]byte, 64<<10)
	for {
		n, err := client.Read(chunk)
		if err != nil {
			return
		}
		if bytes.Contains(chunk[:n], commit) && c.left.Add(-1) >= 0 {
			if !c.after {
				_ = client.Close()
				return
			}
			cutting.Store(true)
		}
		if _, err := server.Write(chunk[:n]); err != nil {
			return
		}
		if cutting.Load() {
			_, _ = io.Copy(io.Discard, client) // until the other direction has closed it
			return
		}
	}
}

func TestALostAnswerToCommitTakesOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for name, after := range map[string]bool{"the answer was lost": true, "it never arrived": false} {
		issued, code := b.issue("100.00", "EUR", nil)
		take := b.taking(code, "7.00")
		entry, err := b.cut(1, after).TakeFromGiftCard(t.Context(), take)
		require.NoError(t, err, name)
		require.Equal(t, 2, entry.N, name)
		back, err := b.cut(1, after).ReturnToGiftCard(t.Context(), b.returning(take.Reference, "3.00"))
		require.NoError(t, err, name)
		require.Equal(t, "96.00", back.Balance.String(), name)
		_, entries := b.ledger(issued)
		require.Len(t, entries, 3, name)
	}
}

func TestACommitThatCannotBeLookedAtIsNotCalledUnavailable(t *testing.T) {
	t.Parallel()
	b := setup(t)
	issued, code := b.issue("100.00", "EUR", nil)
	_, err := b.cut(100, false).TakeFromGiftCard(t.Context(), b.taking(code, "7.00"))
	require.Error(t, err)
	require.Equal(t, payment.KindInternal, payment.KindOf(err), err)
	card, _ := b.ledger(issued)
	require.Equal(t, "100.00", card.Balance.String())
	_, err = b.cut(100, true).TakeFromGiftCard(t.Context(), b.taking(code, "7.00"))
	require.NoError(t, err, "the repeat has seen it")
	card, _ = b.ledger(issued)
	require.Equal(t, "93.00", card.Balance.String())
}
