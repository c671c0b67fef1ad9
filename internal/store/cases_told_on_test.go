package store_test

import (
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/postgres"
	"github.com/paysvc/paysvc/migrations"
)

// Whoever waited tells it where its transaction began, and not behind what others told
// meanwhile: there it would be in the range of yet another transaction.
func TestWhatWaitedIsToldInThePlaceOfItsOwnTransaction(t *testing.T) {
	t.Parallel()
	b := setup(t)
	n, orphan := b.notify("demo", "nobody's", "card-gateway", nil), b.alone(payment.CaseOrphan, "x")
	tx, err := b.raw.Begin(t.Context())
	require.NoError(t, err)
	defer func() { _ = tx.Rollback(t.Context()) }()
	_, err = tx.Exec(t.Context(), "select from notifications for update")
	require.NoError(t, err)
	var waiting sync.WaitGroup
	waiting.Go(func() {
		if err := b.PostponeNotification(t.Context(), n, &orphan); err != nil {
			t.Error(err)
		}
	})
	require.Eventually(t, func() bool {
		return value[bool](b, `select exists (select from pg_stat_activity
			where datname = current_database() and wait_event_type = 'Lock')`)
	}, visibleWithin, lookEvery, "it has begun, and waits for the notification")
	b.listed("main/refund/re_1")
	require.NoError(t, tx.Rollback(t.Context()))
	waiting.Wait()
	var kinds []payment.CaseKind
	for _, e := range b.told(2) {
		require.EqualValues(t, 1, e.Sequence&4095)
		kinds = append(kinds, e.CaseKind)
	}
	require.Equal(t, []payment.CaseKind{payment.CaseOrphan, payment.CaseReconciliation}, kinds)
}

func TestAnEndpointThatIsDisabledIsToldToTheOthers(t *testing.T) {
	t.Parallel()
	b := setup(t)
	broken, other, orders := b.endpoint("demo"), b.endpoint("demo", "case.*"), b.endpoint("demo", "order.*")
	b.fail(broken.ID)
	due := b.take(other.ID, 1)
	require.Equal(t, []string{"case.opened"}, typesOf(due))
	require.Equal(t, payment.CaseEndpointDisabled, due[0].Event.CaseKind)
	require.Zero(t, due[0].Event.Order)
	b.refused(broken.ID)
	require.Empty(t, b.take(orders.ID, 0))

	yes := true
	_, err := b.ChangeEndpoint(t.Context(), "demo", broken.ID, payment.EndpointChange{Active: &yes}, b.by())
	require.NoError(t, err)
	list, _, err := b.ListCases(t.Context(), "demo", "open", payment.CaseEndpointDisabled, payment.Page{})
	require.NoError(t, err)
	b.emit(b.order("demo", nil).ID, "order.paid") // settled, so is what was before
	require.Equal(t, []string{"order.paid"}, typesOf(b.take(orders.ID, 1)))
	b.target(broken.ID)
	require.Equal(t, []string{"order.paid"}, typesOf(b.take(broken.ID, 1)), "it gets what happens from then on, and nothing about itself")
	require.NoError(t, b.endByHand(list[0]))
	require.Equal(t, []string{"case.resolved"}, typesOf(b.take(other.ID, 1)))
	require.Equal(t, []string{"case.resolved"}, typesOf(b.take(broken.ID, 1)))

	b.fail(broken.ID)
	again := b.take(other.ID, 1)
	require.NotEqual(t, due[0].Event.Case, again[0].Event.Case, "what fails anew is a case anew")
}

func TestTheEventOfACaseIsRedelivered(t *testing.T) {
	t.Parallel()
	b := setup(t)
	e := b.endpoint("demo", "case.opened")
	c := b.listed("main/refund/re_1")
	first := b.take(e.ID, 1)[0]
	again, err := b.Redeliver(t.Context(), "demo", first.Event.ID(), payment.EndpointID{}, b.by())
	require.NoError(t, err)
	require.Len(t, again, 1)
	require.Equal(t, first.Event, again[0].Event)
	second := b.take(e.ID, 1)[0]
	require.Equal(t, first.Event.ID(), second.Event.ID(), "under the same id")
	require.Equal(t, payment.DeliveryDelivered, b.deliveries(e.ID)[0].State)

	unsaid := payment.EventID{Order: payment.OrderID(c.ID), N: 2}
	_, err = b.Redeliver(t.Context(), "demo", unsaid, payment.EndpointID{}, b.by())
	require.Equal(t, payment.KindNotFound, payment.KindOf(err), "it is not resolved")
	_, err = b.Redeliver(t.Context(), "other", first.Event.ID(), payment.EndpointID{}, b.by())
	require.Equal(t, payment.KindNotFound, payment.KindOf(err))
	entries := b.entries("demo")
	last := entries[len(entries)-1]
	require.Equal(t, "event.redelivered", last.Action)
	require.Zero(t, last.Order)
}

func TestWhatACaseToldCannotBeChangedBehindTheAudit(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.listed("main/refund/re_1")
	require.NoError(t, b.endByHand(c))
	entries := b.sealed("demo", 2)
	restore := b.keep()
	for _, e := range entries {
		id := payment.EventID{Order: payment.OrderID(c.ID), N: e.Event}
		for _, edit := range []string{
			`body = replace(body::text, 'reconciliation', 'x')::json`, "type = 'case.lost'", "n = 7", "store = 'other'", "actor = 'x'",
			"order_id = '019ca94e-0000-7000-8000-000000000001'",
		} {
			b.asOwner("update events set " + edit + " where n = " + []string{"1", "2"}[e.Event-1])
			require.True(t, slices.ContainsFunc(b.verified().Unfit, func(u payment.UnfitEvent) bool {
				return u.Event == id && u.Position == e.Position
			}), "%s of %s", edit, id)
			restore()
		}
	}
	require.True(t, b.verified().Holds())
}

// A case that the binary before opened is in the audit at once, and told nobody.
func TestACaseFromBeforeIsToldWhenItIsResolved(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.alone(payment.CaseReconciliation, "x")
	b.exec(`with opened as (insert into cases (id, store, kind, subject, state, detail, opened_at)
			values ($1, 'demo', 'reconciliation_difference', 'x', 'open', '', $2) returning id)
		select audit_append('demo', $2, 'system', 'system', 'case.opened', $3, null, '', '', 'open', 'reconciliation_difference') from opened`,
		[16]byte(c.ID), b.now(), c.ID.String())
	require.NoError(t, b.OpenCases(t.Context(), []payment.Case{b.alone(payment.CaseReconciliation, "x")}))
	require.NoError(t, b.endByHand(c))
	e := b.told(1)[0]
	require.Equal(t, payment.EventID{Order: payment.OrderID(c.ID), N: 2}, e.ID())
	var actions []string
	for _, e := range b.sealed("demo", 2) {
		actions = append(actions, e.Action+" "+e.Subject)
	}
	require.Equal(t, []string{"case.opened " + c.ID.String(), "case.resolved " + c.ID.String()}, actions)
	require.True(t, b.verified().Holds())
}

// What was told stays told: the audit proves it, and endpoints have it.
func TestGoingDownKeepsWhatCasesTold(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.listed("main/refund/re_1")
	b.sealed("demo", 1)
	version, err := postgres.MigrateVersion(t.Context(), b.url)
	require.NoError(t, err)
	const before = 15
	require.NoError(t, postgres.MigrateDown(t.Context(), b.url, migrations.FS, int(version.Number)-before))
	require.Equal(t, 1, value[int](b, "select count(*) from events"))
	_, err = b.raw.Exec(t.Context(), `insert into events (order_id, n, store, sequence, type, body, at)
		values ('019ca94e-0000-7000-8000-000000000001', 1, 'demo', 1, 'order.paid', '{}', now())`)
	require.ErrorContains(t, err, "events_order_id_fkey", "what is written from then on belongs to an order again")
	require.NoError(t, postgres.Migrate(t.Context(), b.url, migrations.FS))
	b.listed("main/refund/re_2")
	b.sealed("demo", 2)
	require.True(t, b.verified().Holds())
}
