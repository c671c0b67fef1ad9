package store_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/store"
)

func TestAnEventIsTakenOverWithWhoAndHow(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.order("demo", nil)
	b.work(o.ID, func(o *payment.Order) payment.Closing {
		o.Actor = "key_7"
		now := b.now()
		p := o.OpenPayment("card", "card-gateway", "main", payment.ModeTest, o.Total, now)
		o.Announce(p, payment.AuthorizeAndCapture, b.ids.Reference(), o.Total, now, now)
		o.Emit(payment.Event{Type: "order.amended", Status: "pending"}, now)
		return payment.Closing{}
	})
	b.work(o.ID, func(o *payment.Order) payment.Closing {
		_, err := o.Record(payment.Fact{
			Source: payment.SourceNotification, Reference: o.Payments[0].Transactions[0].Reference, State: payment.Approved,
		}, b.now())
		require.NoError(t, err)
		o.Emit(payment.Event{Type: "order.cancelled"}, b.now())
		return payment.Closing{}
	})
	type line struct{ actor, source, action, subject, amount, currency, status string }
	var got []line
	for _, e := range b.sealed("demo", 4) {
		require.Equal(t, o.ID, e.Order)
		require.Equal(t, b.now(), e.At)
		got = append(got, line{e.Actor, e.Source, e.Action, e.Subject, e.Amount, e.Currency, e.Status})
	}
	pay, txn := payment.PaymentID{Order: o.ID, N: 1}.String(), payment.TransactionID{Order: o.ID, N: 2}.String()
	require.Equal(t, []line{
		{"key_7", "api", "order.amended", o.ID.String(), "", "", "pending"},
		{"psp", "notification", "transaction.approved", txn, "30.00", "EUR", "approved"},
		{"psp", "notification", "payment.paid", pay, "", "", "paid"},
		{"system", "system", "order.cancelled", o.ID.String(), "", "", ""},
	}, got)
}

// The hash of what is added at once is made by the database, the other by us.
func TestBothWaysIntoTheAuditMakeOneChain(t *testing.T) {
	t.Parallel()
	b := setup(t)
	order := b.order("demo", nil)
	full := payment.AuditEntry{
		Store: "demo", At: b.now(), Actor: "Zoë's \"key\" \\ ", Source: "api", Action: "a.b", Subject: "жук", Order: order.ID,
		Amount: "-1.00", Currency: "EUR", Status: "ok", Detail: "line\nline\t'; drop table audit",
	}
	require.NoError(t, b.AppendAudit(t.Context(), full))
	b.pay(order.ID, "card", payment.Approved)
	b.sealed("demo", 3)
	require.NoError(t, b.AppendAudit(t.Context(), payment.AuditEntry{Store: "demo", At: b.now().Add(999)}))
	got := b.entries("demo")
	full.Position, full.Hash = 1, got[0].Hash
	require.Equal(t, full, got[0])
	report := b.verified()
	require.True(t, report.Holds(), "%+v", report)
	require.Equal(t, int64(4), report.Entries)
	require.Equal(t, int64(4), report.Head.Position)
}

func TestEachStoreHasAChainOfItsOwn(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, name := range []string{"", "demo", "other", "demo"} {
		require.NoError(t, b.AppendAudit(t.Context(), payment.AuditEntry{Store: name, At: b.now(), Action: "x"}))
	}
	b.pay(b.order("third", nil).ID, "card", payment.Approved)
	stores, err := b.AuditedStores(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{"", "demo", "other", "third"}, stores, "one with events and nothing else, too")
	heads, err := b.AuditHeads(t.Context())
	require.NoError(t, err)
	require.Len(t, heads, 3)
	require.Equal(t, int64(2), heads[1].Position)
	require.Len(t, b.entries("other"), 1)
}

func TestWritersAtOnceKeepTheChain(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const writers, each = 20, 3
	together(writers, func(int) {
		for range each {
			if err := b.AppendAudit(t.Context(), payment.AuditEntry{Store: "demo", At: b.now(), Actor: "key_1", Action: "x"}); err != nil {
				t.Error(err)
			}
		}
	})
	report := b.verified()
	require.True(t, report.Holds(), "%+v", report)
	require.Equal(t, int64(writers*each), report.Entries)
}

// Two instances take over while orders change in many transactions at once, and one
// of them starts anew in between.
func TestNoEventIsMissedWhileMoreComeIn(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const writers, each = 5, 12
	orders := make([]*payment.Order, writers)
	for i := range orders {
		orders[i] = b.order("demo", nil)
	}
	ctx, stop := context.WithCancel(t.Context())
	var sealers sync.WaitGroup
	for range 2 {
		sealers.Go(func() {
			for ctx.Err() == nil {
				s, err := store.Open(t.Context(), b.url, store.Options{ConnectionsMax: 1})
				if err != nil {
					t.Error(err)
					return
				}
				for range 10 {
					if _, _, err := s.AuditEvents(t.Context(), "demo", 7); err != nil {
						t.Error(err)
					}
				}
				s.Close()
			}
		})
	}
	together(writers, func(i int) {
		for range each {
			err := b.Stretch(t.Context(), payment.Opening{Order: orders[i].ID, Token: b.ids.New()},
				func(o *payment.Order) (payment.Closing, error) {
					o.Emit(payment.Event{Type: "order.paid"}, b.now())
					o.Emit(payment.Event{Type: "stock.deduct"}, b.now())
					return payment.Closing{}, nil
				})
			if err == nil {
				err = b.AppendAudit(t.Context(), payment.AuditEntry{Store: "demo", At: b.now(), Action: "between"})
			}
			if err != nil {
				t.Error(err)
			}
		}
	})
	stop()
	sealers.Wait()
	b.sealed("demo", 2*writers*each)
	report := b.verified()
	require.True(t, report.Holds(), "%+v", report)
	require.Zero(t, report.Behind)
	require.Equal(t, writers*each, value[int](b, "select count(*) from audit where action = 'order.paid'"))
}

func TestAnEventThatMayBeOvertakenWaits(t *testing.T) {
	t.Parallel()
	b := setup(t)
	slow, fast := b.order("demo", nil), b.order("demo", nil)
	tx, err := b.raw.Begin(t.Context())
	require.NoError(t, err)
	defer func() { _ = tx.Rollback(t.Context()) }() // a pool waits for its connections when it is closed
	_, err = tx.Exec(t.Context(), `insert into events (order_id, n, store, sequence, type, body, at)
		values ($1, 1, 'demo', pg_current_xact_id()::text::bigint << 12, 'order.paid', '{"order": 1}', $2)`, [16]byte(slow.ID), b.now())
	require.NoError(t, err)
	b.pay(fast.ID, "card", payment.Approved)
	_, more, err := b.AuditEvents(t.Context(), "demo", 100)
	require.NoError(t, err)
	require.False(t, more)
	require.Empty(t, b.entries("demo"))
	require.Equal(t, int64(2), b.verified().Behind)
	require.NoError(t, tx.Commit(t.Context()))
	entries := b.sealed("demo", 3)
	require.Equal(t, slow.ID, entries[0].Order, "and one whose body nobody can read is not left out")
}

func TestALostAnswerToCommitAuditsOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.pay(b.order("demo", nil).ID, "card", payment.Approved)
	require.Eventually(t, func() bool {
		waiting, err := b.UnauditedStores(t.Context())
		return err == nil && slices.Contains(waiting, "demo")
	}, visibleWithin, lookEvery)
	_, _, err := b.cut(1, true).AuditEvents(t.Context(), "demo", 100)
	require.ErrorContains(t, err, "outcome unknown")
	b.sealed("demo", 2)
	_, _, err = b.cut(1, false).AuditEvents(t.Context(), "demo", 100)
	require.Error(t, err, "it never arrived")
	e := payment.AuditEntry{Store: "demo", At: b.now(), Action: "x"}
	require.ErrorContains(t, b.cut(1, true).AppendAudit(t.Context(), e), "outcome unknown")
	require.Len(t, b.entries("demo"), 3)
	waiting, err := b.UnauditedStores(t.Context())
	require.NoError(t, err)
	require.Empty(t, waiting)
	require.True(t, b.verified().Holds())
}

func TestALostAnswerToCommitIssuesAndBlocksAGiftCardOnceInTheAuditToo(t *testing.T) {
	t.Parallel()
	b := setup(t)
	issued, _ := b.issue("100.00", "EUR", nil)
	card, err := b.cut(1, true).ActivateGiftCard(t.Context(), "demo", issued.ID, false, b.by())
	require.NoError(t, err)
	require.False(t, card.Active)
	_, err = b.ActivateGiftCard(t.Context(), "demo", issued.ID, false, b.by())
	require.NoError(t, err)
	var actions []string
	for _, e := range b.entries("demo") {
		require.Equal(t, issued.ID.String(), e.Subject)
		actions = append(actions, e.Action)
	}
	require.Equal(t, []string{"gift_card.issued", "gift_card.deactivated"}, actions, "that it is blocked already is no change")
}

func TestWhatIsRefusedIsNotAudited(t *testing.T) {
	t.Parallel()
	b := setup(t)
	hash := sha256.Sum256([]byte("paysk_1"))
	key := payment.APIKey{ID: "key_1", Hash: hash[:], Store: "demo", Kind: payment.SecretKey, CreatedAt: b.now()}
	require.NoError(t, b.CreateKey(t.Context(), key, b.by()))
	require.Error(t, b.CreateKey(t.Context(), key, b.by()))
	require.Error(t, b.RevokeKey(t.Context(), "demo", "key_2", b.by()))
	require.Error(t, b.DeleteEndpoint(t.Context(), "demo", payment.EndpointID(b.ids.New()), b.by()))
	_, err := b.AddNote(t.Context(), "demo", payment.OrderID(b.ids.New()), payment.Note{Text: "x", At: b.now()}, b.by())
	require.Error(t, err)
	require.Len(t, b.entries("demo"), 1)
}

// Cases of no order tell of themselves.
func TestCasesWithoutAnOrderAreAudited(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := payment.Case{ID: payment.CaseID(b.ids.New()), Store: "demo", Kind: payment.CaseReconciliation, Subject: "x", OpenedAt: b.now()}
	again := c
	again.ID = payment.CaseID(b.ids.New())
	require.NoError(t, b.OpenCases(t.Context(), []payment.Case{c, again}))
	require.NoError(t, b.OpenCases(t.Context(), []payment.Case{again}))
	entries := b.sealed("demo", 1)
	require.Equal(t, "system case.opened "+c.ID.String()+" reconciliation_difference",
		entries[0].Actor+" "+entries[0].Action+" "+entries[0].Subject+" "+entries[0].Detail)
	require.True(t, b.verified().Holds())
}

func TestTakingOverIsAHandfulOfStatements(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.order("demo", nil)
	b.work(o.ID, func(o *payment.Order) payment.Closing {
		for range 500 {
			o.Emit(payment.Event{Type: "order.paid"}, b.now())
		}
		return payment.Closing{}
	})
	require.NoError(t, b.AppendAudit(t.Context(), payment.AuditEntry{Store: "demo", At: b.now()}))
	require.Eventually(t, func() bool {
		waiting, err := b.UnauditedStores(t.Context())
		return err == nil && slices.Contains(waiting, "demo")
	}, visibleWithin, lookEvery)
	sent := b.tracer.during(func() {
		_, more, err := b.AuditEvents(t.Context(), "demo", 500)
		require.NoError(t, err)
		require.True(t, more)
	})
	require.Len(t, sent, 6, "begin, the head, the events; the entries and the head, which go out together; commit: %v", sent)
	require.True(t, b.verified().Holds())
	text, err := json.Marshal(b.entries("demo"))
	require.NoError(t, err)
	require.NotContains(t, string(text), "Example.org", "nor is there anything about the customer")
}

// A dump that is restored into a new cluster would hide new events behind old ones.
func TestAnAuditThatIsAheadOfItsDatabaseIsNotSilent(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.pay(b.order("demo", nil).ID, "card", payment.Approved)
	b.sealed("demo", 2)
	b.asOwner("update audit_heads set sequence = 1::bigint << 60")
	waiting, err := b.UnauditedStores(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{"demo"}, waiting)
	_, _, err = b.AuditEvents(t.Context(), "demo", 100)
	require.ErrorContains(t, err, "counts transactions anew")
	require.False(t, b.verified().Holds())
}
