package moments_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/moments"
	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline/steps"
	"github.com/paysvc/paysvc/internal/settings"
)

// dying is a book of an instance that dies at one of its commits: right before or
// right after it. Nothing comes from it from then on.
type dying struct {
	*bundle
	at    int // which commit, from 1
	after bool
	dead  bool
	seen  int
}

var errDead = errors.New("the instance is dead")

func (d *dying) Stretch(
	ctx context.Context, open payment.Opening, work func(*payment.Order) (payment.Closing, error),
) error {
	d.seen++
	if d.dead || d.seen == d.at && !d.after {
		d.dead = true
		return errDead
	}
	err := d.store.Stretch(ctx, open, work)
	if d.seen == d.at {
		d.dead = true
		return errDead
	}
	return err
}

// instance is another instance on the same books, which dies at a commit.
func (b *bundle) instance(source string, at int, after bool) (*moments.Service, *dying) {
	b.t.Helper()
	book := &dying{bundle: b, at: at, after: after}
	s, err := moments.New(moments.Deps{
		Book: book, Orders: b.store, Claims: b.store, Inquiries: b.store, Inbox: b.store, Cases: b.store, Settings: b.load(b.t, source),
		IDs: payment.NewIDs(b.clock.now, rand.Reader), Now: b.clock.now, Log: zerolog.Nop(), PublicURL: "http://127.0.0.1:8080",
	})
	require.NoError(b.t, err)
	return s, book
}

// sweep does what the jobs of an instance that lives do.
func (b *bundle) sweep() {
	b.t.Helper()
	for range 4 {
		b.clock.advance(5 * time.Minute)
		due, err := b.store.DueTransactions(b.t.Context(), b.clock.now(), b.clock.now().Add(time.Minute), 10)
		require.NoError(b.t, err)
		for _, d := range due {
			require.NoError(b.t, b.Inquire(b.t.Context(), d.Store, d.ID))
		}
		runs, err := b.store.DueRuns(b.t.Context(), b.clock.now(), b.clock.now().Add(time.Minute), 10)
		require.NoError(b.t, err)
		for _, d := range runs {
			record, err := b.store.Run(b.t.Context(), d.Store, d.ID)
			require.NoError(b.t, err)
			_ = b.Resume(b.t.Context(), d.Store, d.ID, record) // a refusal is an end too
		}
	}
}

// Wherever an instance dies while a shop is asked and a PSP is called: the shopper
// is charged once at most, and what was charged pays the order.
func TestAnInstanceThatDiesAtAnyCommitChargesOnceAndLosesNothing(t *testing.T) {
	t.Parallel()
	const ask = "with: {url: https://shop.example/ask, secret: {env: PAYSVC_SANDBOX_API_KEY}}}"
	places := map[string]string{
		"nobody is asked":            "",
		"before the payment":         "pre-process: [{insert: http, as: ask, before: save-order, " + ask + "], internal: [{insert: http, as: ask, before: decide-payment, " + ask + "]",
		"before it is sent":          "pre-process: [{insert: http, as: ask, before: psp-redirect, " + ask + "]",
		"after it was sent":          "pre-process: [{insert: http, as: ask, after: psp-redirect, " + ask + "]",
		"in confirm":                 "confirm: [{insert: http, as: ask, before: order-path-selector, " + ask + "]",
		"in status-ok, twice":        "status-ok: [{insert: http, as: ask, before: pay-order, " + ask + ", {insert: http, as: tell, after: pay-order, " + ask + "]",
		"after a payment is decided": "internal: [{insert: http, as: ask, after: decide-payment, " + ask + "]",
	}
	for name, pipelines := range places {
		for _, method := range []string{"card", "invoice"} {
			t.Run(name+", "+method, func(t *testing.T) {
				t.Parallel()
				b := setup(t)
				source := string(settings.Demo())
				if pipelines != "" {
					source = with("{" + pipelines + "}")
				}
				source = strings.Replace(source, "mode_on_order: pending", "mode_on_order: authorized", 1)
				b.reload(source)
				b.says(func(steps.Message) (steps.Reply, error) { return reply(`{"decision":"continue"}`) })
				for at := 1; at <= 6; at++ {
					for _, after := range []bool{false, true} {
						if !b.dies(source, method, at, after) {
							return
						}
					}
				}
				require.Fail(t, "the payment has more commits than were tried")
			})
		}
	}
}

// dies has an instance die at a commit of a payment, and checks what becomes of
// the order. It tells whether there was such a commit.
func (b *bundle) dies(source, method string, at int, after bool) bool {
	b.t.Helper()
	where := fmt.Sprintf("commit %d, after it: %v", at, after)
	o := b.order(plain)
	dying, book := b.instance(source, at, after)
	c := b.command(o, method, "")
	if _, err := dying.Pay(b.t.Context(), c); !book.dead {
		require.NoError(b.t, err, where)
		require.Equal(b.t, payment.OrderProcessing, b.read(o).Saved.Status, where)
		return false
	}
	b.sweep()
	again, err := b.Pay(b.t.Context(), c) // the same key, at an instance that lives
	charged := b.charges(o)
	require.LessOrEqual(b.t, len(charged), 1, where)
	o = b.read(o)
	require.Empty(b.t, o.OpenTransactions(), where)
	require.Equal(b.t, o.Covered(), o.Saved.Status == payment.OrderProcessing, where)
	require.Empty(b.t, b.openCases(o), where)
	if method == "card" {
		require.Equal(b.t, len(charged) == 1, o.Covered(), where)
	}
	if o.Covered() {
		require.NoError(b.t, err, where)
		require.Equal(b.t, string(payment.Approved), string(again.Body), where)
		return true
	}
	_, err = b.pay(o, method, "")
	require.NoError(b.t, err, "%s: another attempt", where)
	require.Equal(b.t, payment.OrderProcessing, b.read(o).Saved.Status, where)
	require.LessOrEqual(b.t, len(b.charges(o)), 1, where)
	return true
}

// Many requests at once, some under the same key, while the shop is asked before
// each payment and before each confirm: one of them charges.
func TestManyRequestsWhileTheShopIsAskedChargeOnce(t *testing.T) {
	t.Parallel()
	const ask = "[{insert: http, as: ask, before: TARGET, with: {url: https://shop.example/ask, secret: {env: PAYSVC_SANDBOX_API_KEY}}}]"
	b := setup(t)
	b.reload(with("{pre-process: " + strings.Replace(ask, "TARGET", "psp-redirect", 1) +
		", confirm: " + strings.Replace(ask, "TARGET", "order-path-selector", 1) + "}"))
	const requests = 6
	var asked atomic.Int32
	all := make(chan struct{})
	b.says(func(steps.Message) (steps.Reply, error) { // all have been asked before any goes on
		if asked.Add(1) == requests {
			close(all)
		}
		select {
		case <-all:
		case <-time.After(10 * time.Second):
		}
		return reply(`{"decision":"continue"}`)
	})
	o := b.order(plain)
	answers := make([]string, 2*requests)
	var group sync.WaitGroup
	for i := range requests {
		c := b.command(o, "card", "")
		c.Render = renderRefusals(c.Render)
		for j := range 2 { // under the same key
			group.Go(func() {
				answer, err := b.Pay(t.Context(), c)
				if answers[2*i+j] = string(answer.Body); err != nil {
					answers[2*i+j] = payment.CodeOf(err)
				}
			})
		}
	}
	group.Wait()
	require.Len(t, b.charges(o), 1, answers)
	o = b.read(o)
	require.Equal(t, payment.OrderProcessing, o.Saved.Status)
	require.Empty(t, b.openCases(o))
	approved := 0
	for i := range requests {
		one, other := answers[2*i], answers[2*i+1]
		require.True(t, one == other || one == "idempotency_in_progress" || other == "idempotency_in_progress", answers)
		if one == string(payment.Approved) || other == string(payment.Approved) {
			approved++
		}
	}
	require.Equal(t, 1, approved, answers)
}
