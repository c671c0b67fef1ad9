package store_test

import (
	"encoding/json"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
)

// notify puts a notification in the inbox; it is parked when reference fits no
// transaction of the gateway.
func (b *bundle) notify(storeName, reference, gateway string, change func(n *payment.Notification)) *payment.Notification {
	b.t.Helper()
	id := b.ids.New()
	n := &payment.Notification{
		ID: payment.NotificationID(id), Store: storeName, Gateway: gateway, Account: "main",
		EventID: payment.NotificationID(id).String(), Type: "payment", Reference: reference, ReceivedAt: b.now(),
		From: netip.MustParseAddr("2001:db8::1"),
		Raw:  payment.RawNotification{Headers: map[string][]string{"Signature": {"s"}}, Body: []byte("raw \x00\xff")},
	}
	if change != nil {
		change(n)
	}
	err := b.Stretch(b.t.Context(), payment.Opening{
		Store: storeName, Reference: reference, Gateway: gateway, Account: "main", Notification: n, Token: b.ids.New(),
	}, func(*payment.Order) (payment.Closing, error) { return payment.Closing{}, nil })
	if err != nil {
		require.ErrorIs(b.t, err, payment.ErrParked)
	}
	return n
}

var sameMoney = cmp.Comparer(func(a, b payment.Money) bool { return a.Equal(b) })

func TestNotificationComesBackWhole(t *testing.T) {
	t.Parallel()
	b := setup(t)
	negative, huge := payment.FromMinor(-1250, eur), payment.FromMinor(1<<62, currency("KWD"))
	facts := []payment.Fact{
		{
			Source: payment.SourceNotification, Reference: "R", Type: payment.Refund, GatewayReference: "psp", State: payment.Approved,
			Amount: &negative, Account: "main", Mode: payment.ModeTest, At: b.now(),
			Reason:     payment.Reason{Code: "c", Message: "bad \xff byte", Decline: "soft"},
			NextAction: &payment.NextAction{Type: "client", Fields: map[string]string{"a": "b"}, Data: json.RawMessage(`{"n":1.0}`)},
		},
		{State: payment.Pending, Amount: &huge},
		{State: payment.Unknown},
	}
	n := b.notify("demo", "R", "card-gateway", func(n *payment.Notification) { n.Facts = facts })
	got, err := b.Notification(t.Context(), "demo", n.ID)
	require.NoError(t, err)
	want := *n
	want.State, want.DueAt = payment.NotificationParked, got.DueAt
	want.Facts[0].Reason.Message = "bad \uFFFD byte" // must not make the row impossible to write
	require.Empty(t, cmp.Diff(&want, got, sameMoney, cmpopts.EquateComparable(netip.Addr{})))
	require.Equal(t, "raw \x00\xff", string(got.Raw.Body))

	_, err = b.Notification(t.Context(), "other", n.ID)
	require.Equal(t, payment.KindNotFound, payment.KindOf(err))
	_, err = b.Notification(t.Context(), "demo", payment.NotificationID(b.ids.New()))
	require.Equal(t, payment.KindNotFound, payment.KindOf(err))
}

func TestListNotificationsByState(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.order("demo", nil)
	reference := b.pay(o.ID, "card", payment.Sending)
	applied := b.notify("demo", reference, "card-gateway", nil)
	b.tick(time.Second)
	parked := b.notify("demo", "nobody's", "card-gateway", nil)
	b.tick(time.Second)
	parkedToo := b.notify("demo", "nobody's", "card-gateway", nil)
	b.notify("other", "nobody's", "card-gateway", nil)
	list := func(state payment.NotificationState, page payment.Page) ([]payment.NotificationID, string) {
		found, next, err := b.ListNotifications(t.Context(), "demo", state, page)
		require.NoError(t, err)
		var ids []payment.NotificationID
		for _, n := range found {
			require.Nil(t, n.Raw.Body)
			ids = append(ids, n.ID)
		}
		return ids, next
	}
	all, _ := list("", payment.Page{})
	require.Equal(t, []payment.NotificationID{parkedToo.ID, parked.ID, applied.ID}, all)
	some, _ := list(payment.NotificationApplied, payment.Page{})
	require.Equal(t, []payment.NotificationID{applied.ID}, some)
	first, next := list(payment.NotificationParked, payment.Page{Limit: 1})
	second, end := list(payment.NotificationParked, payment.Page{Limit: 1, After: next})
	require.Equal(t, []payment.NotificationID{parkedToo.ID, parked.ID}, append(first, second...))
	require.Empty(t, end)
	none, _ := list(payment.NotificationRejected, payment.Page{})
	require.Empty(t, none)
	_, _, err := b.ListNotifications(t.Context(), "demo", "lost", payment.Page{})
	require.Equal(t, payment.KindInvalid, payment.KindOf(err))
}

func TestDueNotificationsAreLeasedWithTheirFacts(t *testing.T) {
	t.Parallel()
	b := setup(t)
	n := b.notify("demo", "nobody's", "card-gateway", func(n *payment.Notification) {
		n.Facts = []payment.Fact{{Source: payment.SourceNotification, Reference: "R", State: payment.Approved}}
	})
	broken := b.notify("demo", "nobody's", "card-gateway", nil)
	b.exec(`update notifications set facts = '[{"currency": "nonsense"}]' where id = $1`, [16]byte(broken.ID))
	none, err := b.DueNotifications(t.Context(), b.now(), b.now(), 10)
	require.NoError(t, err)
	require.Empty(t, none)

	now := b.tick(time.Hour)
	due, err := b.DueNotifications(t.Context(), now, now.Add(time.Minute), 10)
	require.ErrorContains(t, err, broken.ID.String(), "and it does not stand in the way of the other")
	require.Len(t, due, 1)
	require.Equal(t, n.ID, due[0].ID)
	require.Equal(t, n.Facts, due[0].Facts)
	require.Equal(t, now.Add(time.Minute), due[0].DueAt)
	again, err := b.DueNotifications(t.Context(), now, now.Add(time.Minute), 10)
	require.NoError(t, err)
	require.Empty(t, again)
}

func TestRunComesBackAsItWasJournaled(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.order("demo", nil)
	token := b.ids.New()
	run := &payment.RunRecord{
		Pipeline: "confirm", Hash: "h", State: payment.RunFailed, Payment: 3, BegunAt: b.now(), EndedAt: b.now(),
		DueAt: b.now().Add(time.Minute), Tries: 2, Token: token, New: true, Error: "step x: \"no\"",
		Steps: []payment.StepRecord{
			{Step: "order-path-selector", Result: "status-ok", BegunAt: b.now(), Took: 1234 * time.Nanosecond},
			{Step: "order-path-selector/x", Result: "failed", BegunAt: b.now(), Took: time.Hour, Error: "bad \xff"},
		},
		From: netip.MustParseAddr("2001:db8::7"),
		Findings: []payment.RunFinding{
			{Transaction: 2, Source: payment.SourceNotification, Before: payment.Unknown, Changed: true},
			{Transaction: 5, Source: payment.SourceNotification, Before: payment.Pending, Mismatch: true},
		},
	}
	b.work(o.ID, func(o *payment.Order) payment.Closing {
		run.N = o.NextNumber()
		return payment.Closing{Runs: []*payment.RunRecord{run}}
	})
	id := payment.RunID{Order: o.ID, N: run.N}
	want := *run
	want.New, want.Steps[1].Error = false, "bad \uFFFD"
	got, err := b.Run(t.Context(), "demo", id)
	require.NoError(t, err)
	require.Equal(t, &want, got)
	_, err = b.Run(t.Context(), "other", id)
	require.Equal(t, payment.KindNotFound, payment.KindOf(err))
	_, err = b.Run(t.Context(), "demo", payment.RunID{Order: o.ID, N: 99})
	require.Equal(t, payment.KindNotFound, payment.KindOf(err))

	now := b.tick(time.Minute)
	due, err := b.DueRuns(t.Context(), now, now.Add(time.Minute), 10)
	require.NoError(t, err)
	require.Equal(t, []payment.DueRun{{ID: id, Store: "demo"}}, due)
	again, err := b.DueRuns(t.Context(), now, now.Add(time.Minute), 10)
	require.NoError(t, err)
	require.Empty(t, again)
	leased, err := b.Run(t.Context(), "demo", id)
	require.NoError(t, err)
	require.Equal(t, token, leased.Token, "a lease does not take the run from whoever is at it")
	require.Equal(t, run.Findings, leased.Findings)

	ended := *leased
	ended.State, ended.DueAt, ended.Findings, ended.From = payment.RunDone, time.Time{}, nil, netip.Addr{}
	b.work(o.ID, func(*payment.Order) payment.Closing { return payment.Closing{Runs: []*payment.RunRecord{&ended}} })
	got, err = b.Run(t.Context(), "demo", id)
	require.NoError(t, err)
	require.Equal(t, &ended, got)
}

func TestTimelineTellsTheStoryInOrder(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.order("demo", nil)
	reference := b.pay(o.ID, "card", payment.Sending)
	b.tick(time.Second)
	n := b.notify("demo", reference, "card-gateway", nil)
	b.work(o.ID, func(o *payment.Order) payment.Closing {
		_, err := o.Record(payment.Fact{Reference: reference, State: payment.Approved}, b.now())
		require.NoError(t, err)
		return payment.Closing{Runs: []*payment.RunRecord{{
			N: o.NextNumber(), Pipeline: "confirm", State: payment.RunDone, BegunAt: b.now(), EndedAt: b.now(), New: true,
		}}}
	})
	b.tick(time.Second)
	_, err := b.AddNote(t.Context(), "demo", o.ID, payment.Note{Author: "key", Text: "packed", At: b.now()}, b.by())
	require.NoError(t, err)

	entries, err := b.Timeline(t.Context(), "demo", o.ID, 100)
	require.NoError(t, err)
	kinds := func(entries []payment.TimelineEntry) (list []string) {
		for _, e := range entries {
			switch {
			case e.Note != nil:
				list = append(list, "note: "+e.Note.Text)
			case e.Transaction != nil:
				list = append(list, "transaction "+string(e.Transaction.State)+" "+e.Transaction.Amount.String())
			case e.Run != nil:
				list = append(list, "run "+e.Run.Pipeline)
			case e.Notification != nil:
				list = append(list, "notification "+e.Notification.ID.String())
			case e.Event != nil:
				list = append(list, e.Event.Type)
			}
			require.False(t, e.At.IsZero())
		}
		return list
	}
	story := []string{
		"transaction approved 30.00", "notification " + n.ID.String(),
		"note: Payment of 30.00 EUR by card (card-gateway) was approved.", "run confirm",
		"transaction.approved", "payment.paid", "note: packed",
	}
	require.Equal(t, story, kinds(entries))
	late, err := b.Timeline(t.Context(), "demo", o.ID, 2)
	require.NoError(t, err)
	require.Equal(t, story[5:], kinds(late))

	_, err = b.Timeline(t.Context(), "other", o.ID, 100)
	require.ErrorIs(t, err, payment.ErrOrderNotFound)
}

func TestListCases(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var opened []payment.CaseID
	for i := range 4 {
		b.tick(time.Second)
		c := payment.Case{ID: payment.CaseID(b.ids.New()), Kind: payment.CaseSurplus, Subject: "s", Detail: "d", OpenedAt: b.now()}
		if i == 3 {
			c.Kind = payment.CaseChargeback
		}
		opened = append(opened, c.ID)
		b.stage(b.order("demo", nil).ID, func(o *payment.Order) { o.OpenCase(c) })
	}
	b.exec("update cases set state = 'resolved', resolved_at = opened_at where id = $1", [16]byte(opened[0]))
	list := func(storeName, state string, kind payment.CaseKind, page payment.Page) ([]payment.CaseID, string) {
		found, next, err := b.ListCases(t.Context(), storeName, state, kind, page)
		require.NoError(t, err)
		var ids []payment.CaseID
		for _, c := range found {
			require.Equal(t, "d", c.Detail)
			require.NotZero(t, c.Order)
			ids = append(ids, c.ID)
		}
		return ids, next
	}
	all, _ := list("demo", "", "", payment.Page{})
	require.Equal(t, []payment.CaseID{opened[3], opened[2], opened[1], opened[0]}, all)
	open, next := list("demo", "open", payment.CaseSurplus, payment.Page{Limit: 1})
	require.Equal(t, []payment.CaseID{opened[2]}, open)
	open, next = list("demo", "open", payment.CaseSurplus, payment.Page{Limit: 1, After: next})
	require.Equal(t, []payment.CaseID{opened[1]}, open)
	require.Empty(t, next)
	none, _ := list("other", "", "", payment.Page{})
	require.Empty(t, none)
}
