package store_test

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
)

// cases are the cases of an order, the oldest first.
func (b *bundle) cases(id payment.OrderID) []payment.Case {
	b.t.Helper()
	all, err := b.CasesOf(b.t.Context(), id)
	require.NoError(b.t, err)
	return all
}

// held is the kind that an order is held for.
func (b *bundle) held(id payment.OrderID) payment.CaseKind {
	b.t.Helper()
	o, err := b.ReadOrder(b.t.Context(), "", id)
	require.NoError(b.t, err)
	return o.Review
}

// open opens a case in a stretch of its own.
func (b *bundle) open(id payment.OrderID, c payment.Case) {
	b.t.Helper()
	c.OpenedAt = b.tick(time.Second)
	b.stage(id, func(o *payment.Order) { o.OpenCase(c) })
}

// end resolves a case in a stretch of its own.
func (b *bundle) end(c payment.Case, r payment.Resolution) error {
	return b.Stretch(b.t.Context(), payment.Opening{Order: c.Order, Token: b.ids.New()},
		func(o *payment.Order) (payment.Closing, error) {
			o.ResolveCases(payment.CaseEnd{Case: c.ID, Resolution: r})
			return payment.Closing{}, nil
		})
}

func (b *bundle) resolution() payment.Resolution {
	return payment.Resolution{Word: "checked", Reason: "seen", Action: payment.CaseActNone, By: "till", At: b.now()}
}

func TestACaseComesBackWholeAndToItsStoreOnly(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.order("demo", nil)
	b.pay(o.ID, "card", payment.Sending)
	at, dollars := b.tick(time.Minute), money("9.00", "USD")
	b.stage(o.ID, func(o *payment.Order) {
		o.OpenCase(payment.Case{
			Kind: payment.CaseCurrencyMismatch, Transaction: o.Payments[0].Transactions[0].N, Subject: "9.00 USD", OpenedAt: at,
			Detail: "Dollars.", Claimed: &dollars,
		})
	})
	got := b.cases(o.ID)[0]
	amount := money("30.00", "EUR")
	want := payment.Case{
		ID: got.ID, Store: "demo", Order: o.ID, Kind: payment.CaseCurrencyMismatch, Payment: 1, Transaction: 2, Subject: "9.00 USD",
		State: payment.CaseOpen, OpenedAt: at, Detail: "Dollars.", Amount: &amount, Claimed: &dollars, Number: o.Number, Currency: eur,
	}
	same := cmp.Options{sameMoney, cmpopts.EquateComparable(payment.Currency{})}
	require.Empty(t, cmp.Diff(want, got, same))

	require.NoError(t, b.end(got, b.resolution()))
	want.State, want.Resolution = payment.CaseResolved, b.resolution()
	read, err := b.Case(t.Context(), "demo", got.ID)
	require.NoError(t, err)
	require.Empty(t, cmp.Diff(want, read, same))
	_, err = b.Case(t.Context(), "other", got.ID)
	require.ErrorIs(t, err, payment.ErrCaseNotFound)
	require.ErrorIs(t, b.end(got, b.resolution()), payment.ErrCaseResolved)
}

func TestWhatIsReportedAgainAfterItWasResolvedLeavesNoTrace(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.order("demo", nil)
	surplus := payment.Case{Kind: payment.CaseSurplus, Subject: "x"}
	b.open(o.ID, surplus)
	require.NoError(t, b.end(b.cases(o.ID)[0], b.resolution()))
	told := value[int](b, "select count(*) from events where order_id = $1", [16]byte(o.ID))
	b.open(o.ID, surplus)
	require.Len(t, b.cases(o.ID), 1)
	require.Empty(t, b.held(o.ID))
	require.Equal(t, told, value[int](b, "select count(*) from events where order_id = $1", [16]byte(o.ID)))
	require.Equal(t, told, value[int](b, "select sequence from orders where id = $1", [16]byte(o.ID)), "no gap in the order's events")
}

func TestACaseThatRecursIsAnotherRowUnderTheSameSubject(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.order("demo", nil)
	for n := range 3 {
		b.open(o.ID, payment.Case{Kind: payment.CaseFailedRun, Subject: "confirm"})
		b.open(o.ID, payment.Case{Kind: payment.CaseFailedRun, Subject: "confirm"})
		all := b.cases(o.ID)
		require.Len(t, all, n+1)
		require.Equal(t, payment.CaseFailedRun, b.held(o.ID))
		require.NoError(t, b.end(all[n], b.resolution()))
	}
	for _, c := range b.cases(o.ID) {
		require.Equal(t, "confirm", c.Subject)
		require.Equal(t, payment.CaseResolved, c.State)
	}
	require.Empty(t, b.held(o.ID))
}

func TestTheOrderIsHeldForTheOldestOpenCase(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.order("demo", nil)
	kinds := []payment.CaseKind{payment.CaseSurplus, payment.CaseChargeback, payment.CaseFailedRun}
	for _, kind := range kinds {
		b.open(o.ID, payment.Case{Kind: kind})
	}
	all := b.cases(o.ID)
	require.NoError(t, b.end(all[1], b.resolution()))
	require.Equal(t, payment.CaseSurplus, b.held(o.ID))
	require.NoError(t, b.end(all[0], b.resolution()))
	require.Equal(t, payment.CaseFailedRun, b.held(o.ID))
	require.NoError(t, b.end(all[2], b.resolution()))
	require.Empty(t, b.held(o.ID))
}

// An effect opens its case outside of any stretch: it is told all the same.
func TestTheCaseOfAnEffectIsToldLikeAnyOther(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.setStock(payment.StockItem{SKU: "lamp", Quantity: 0}, payment.StockItem{SKU: "bulb", Quantity: 4})
	o := b.order("demo", nil)
	b.stage(o.ID, deductStock(b))
	require.NoError(t, b.ApplyEffect(t.Context(), o.ID, deduct, b.tick(time.Minute)))
	body := value[string](b, "select body from events where order_id = $1 and type = 'case.opened'", [16]byte(o.ID))
	c := b.cases(o.ID)[0]
	require.Contains(t, body, c.ID.String())
	require.Contains(t, body, `"kind":"out_of_stock"`)
	require.Contains(t, body, `"payment_status":"pending"`)
	last := value[int](b, "select max(n) from events where order_id = $1", [16]byte(o.ID))
	require.Equal(t, last, value[int](b, "select sequence from orders where id = $1", [16]byte(o.ID)))
	b.pay(o.ID, "card", payment.Approved) // the numbers still fit
}

func TestAStretchWithoutCasesAsksNothingAboutThem(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.order("demo", nil)
	for _, s := range b.tracer.during(func() { b.pay(o.ID, "card", payment.Approved) }) {
		require.NotContains(t, s.sql, "cases")
	}
	about := 0
	for _, s := range b.tracer.during(func() { b.open(o.ID, payment.Case{Kind: payment.CaseSurplus}) }) {
		if strings.Contains(s.sql, "cases") {
			about++
		}
	}
	require.Equal(t, 2, about, "one is read, one is written")
}

func TestOfTwoOperatorsOneResolves(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.order("demo", nil)
	b.open(o.ID, payment.Case{Kind: payment.CaseSurplus})
	c := b.cases(o.ID)[0]
	var won, lost atomic.Int32
	together(8, func(i int) {
		r := b.resolution()
		r.Word = name("w", i)
		if err := b.end(c, r); err == nil {
			won.Add(1)
		} else if payment.CodeOf(err) == "case_resolved" {
			lost.Add(1)
		}
	})
	require.EqualValues(t, 1, won.Load())
	require.EqualValues(t, 7, lost.Load())
	require.Equal(t, 1, value[int](b, "select count(*) from events where type = 'case.resolved'"))
}

// parkedCase is the case of a notification that fits no order.
func (b *bundle) parkedCase(n *payment.Notification) payment.Case {
	b.t.Helper()
	c := payment.Case{
		ID: payment.CaseID(b.ids.New()), Store: "demo", Kind: payment.CaseOrphan, Subject: n.ID.String(), Detail: "d", OpenedAt: b.now(),
	}
	require.NoError(b.t, b.PostponeNotification(b.t.Context(), n, &c))
	return c
}

func TestACaseWithoutAnOrderIsResolvedOnceUnderAKey(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.parkedCase(b.notify("demo", "nobody's", "card-gateway", nil))
	c.Resolution = b.resolution()
	claim := &payment.Claim{Store: "demo", Operation: "resolve", Key: "k", Fingerprint: []byte("f"), At: b.now()}
	reply := payment.Reply{Status: 200, Body: []byte("{}"), Final: true}
	by := payment.AuditEntry{At: b.now(), Actor: "key_1", Source: "api"}
	require.NoError(t, b.ResolveCase(t.Context(), c, claim, reply, by))
	resolved := b.sealed("demo", 2)[1]
	require.Equal(t, "key_1 case.resolved "+c.ID.String(), resolved.Actor+" "+resolved.Action+" "+resolved.Subject)

	var claimed *payment.Claimed
	require.ErrorAs(t, b.ResolveCase(t.Context(), c, claim, reply, by), &claimed)
	require.Equal(t, &reply, claimed.Reply)
	other := *claim
	other.Key = "another"
	require.ErrorIs(t, b.ResolveCase(t.Context(), c, &other, reply, by), payment.ErrCaseResolved)
	free, err := b.Claimed(t.Context(), &other)
	require.NoError(t, err)
	require.Nil(t, free, "a refused request keeps no key")

	read, err := b.Case(t.Context(), "demo", c.ID)
	require.NoError(t, err)
	require.Equal(t, c.Resolution, read.Resolution)
	require.NoError(t, b.PostponeNotification(t.Context(), &payment.Notification{ID: payment.NotificationID(b.ids.New()), Store: "demo"}, &c))
	list, _, err := b.ListCases(t.Context(), "demo", "", payment.CaseOrphan, payment.Page{})
	require.NoError(t, err)
	require.Len(t, list, 1, "the same notification is a case once")
}

func TestANotificationThatIsAppliedAfterAllResolvesItsCases(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.order("demo", nil)
	n := b.notify("demo", "nobody's", "card-gateway", nil)
	orphan := b.parkedCase(n)
	another := b.parkedCase(b.notify("demo", "nobody's", "card-gateway", nil))
	b.open(o.ID, payment.Case{Kind: payment.CaseFailedRun, Subject: n.EventID})

	applied := *n
	applied.State, applied.Tries = payment.NotificationApplied, 4
	b.work(o.ID, func(*payment.Order) payment.Closing { return payment.Closing{Notification: &applied} })
	for _, id := range []payment.CaseID{orphan.ID, b.cases(o.ID)[0].ID} {
		c, err := b.Case(t.Context(), "demo", id)
		require.NoError(t, err)
		require.Equal(t, "applied", c.Resolution.Word, c.Kind)
		require.Equal(t, "system", c.Resolution.By)
	}
	c, err := b.Case(t.Context(), "demo", another.ID)
	require.NoError(t, err)
	require.Equal(t, payment.CaseOpen, c.State)
	require.Empty(t, b.held(o.ID))
}

// The binary before this schema opens cases with this statement.
func TestTheBinaryBeforeStillOpensCases(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.order("demo", nil)
	insert := func() {
		b.exec(`insert into cases (id, store, order_id, kind, transaction, subject, state, detail, opened_at)
			values ($1, 'demo', $2, 'failed_run', 0, 'confirm', 'open', '', $3)
			on conflict (order_id, kind, transaction, subject) do nothing`,
			[16]byte(b.ids.New()), [16]byte(o.ID), b.now())
	}
	insert()
	insert()
	require.Len(t, b.cases(o.ID), 1)
	require.NoError(t, b.end(b.cases(o.ID)[0], b.resolution()))
	insert()
	require.Len(t, b.cases(o.ID), 2)
}
