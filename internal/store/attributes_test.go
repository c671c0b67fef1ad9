package store_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
)

// attributing runs a stretch that was opened with the attributes of the order.
func (b *bundle) attributing(open payment.Opening, work func(o *payment.Order) error) error {
	b.t.Helper()
	open.Attributes, open.Token = true, b.ids.New()
	return b.Stretch(b.t.Context(), open, func(o *payment.Order) (payment.Closing, error) {
		return payment.Closing{}, work(o)
	})
}

func TestAStretchReadsAndWritesAttributes(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.order("demo", nil)
	before, err := b.PutAttribute(t.Context(), "demo", o.ID, "risk", []byte(`{"score": 1.50}`), nil, b.now())
	require.NoError(t, err)
	at := b.tick(time.Minute)
	require.NoError(t, b.attributing(payment.Opening{Order: o.ID}, func(o *payment.Order) error {
		require.Equal(t, before, o.Attributes["risk"], "byte for byte")
		return errors.Join(o.SetAttribute("risk", []byte(`{"score": 99}`), at), o.SetAttribute("gift", []byte(`"\u0000"`), at))
	}))
	risk, err := b.Attribute(t.Context(), "demo", o.ID, "risk")
	require.NoError(t, err)
	require.Equal(t, payment.Attribute{
		Key: "risk", Value: []byte(`{"score": 99}`), Version: at.UnixMicro(), UpdatedAt: at,
	}, risk)
	_, err = b.PutAttribute(t.Context(), "demo", o.ID, "risk", []byte(`2`), &before.Version, b.now())
	require.Equal(t, "version_conflict", payment.CodeOf(err), "a step's write is seen by writers that compare versions")

	read, err := b.ReadOrderWithAttributes(t.Context(), "demo", o.ID)
	require.NoError(t, err)
	require.Equal(t, risk, read.Attributes["risk"])
	require.Equal(t, `"\u0000"`, string(read.Attributes["gift"].Value))
}

func TestAStretchThatANotificationOpensReadsAttributesToo(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.order("demo", nil)
	reference := b.pay(o.ID, "card", payment.Sending)
	_, err := b.PutAttribute(t.Context(), "demo", o.ID, "k", []byte(`1`), nil, b.now())
	require.NoError(t, err)
	open := payment.Opening{Store: "demo", Reference: reference, Gateway: "card-gateway", Account: "main"}
	require.NoError(t, b.attributing(open, func(o *payment.Order) error {
		require.Len(t, o.Attributes, 1)
		require.Len(t, o.Payments, 1, "and all else")
		return nil
	}))
}

func TestANewOrderHasNoAttributesAndTakesThem(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.order("demo", nil)
	fresh := *o
	fresh.ID, fresh.Number = payment.OrderID(b.ids.New()), "fresh"
	require.NoError(t, b.attributing(payment.Opening{New: &fresh}, func(o *payment.Order) error {
		return o.SetAttribute("k", []byte(`1`), b.now())
	}))
	read, err := b.ReadOrderWithAttributes(t.Context(), "demo", fresh.ID)
	require.NoError(t, err)
	require.Len(t, read.Attributes, 1)
}

func TestAttributesCostOneStatementEachWayAndOnlyWhereTheyAreAskedFor(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.order("demo", nil)
	without := b.tracer.during(func() { b.stage(o.ID, func(*payment.Order) {}) })
	for _, statement := range without {
		require.False(t, strings.Contains(statement.sql, "attributes"), statement.sql)
	}
	with := b.tracer.during(func() {
		require.NoError(t, b.attributing(payment.Opening{Order: o.ID}, func(o *payment.Order) error {
			return errors.Join(o.SetAttribute("a", []byte(`1`), b.now()), o.SetAttribute("b", []byte(`2`), b.now()))
		}))
	})
	require.Len(t, with, len(without)+2)
}

// Orders from before the bound may hold more: what does not make them grow is taken.
func TestAnOrderWithTooManyAttributesTakesWhatMakesItNoLarger(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.order("demo", nil)
	b.exec(`insert into attributes (order_id, key, value, version, updated_at)
		select $1, 'old.' || i, to_json(repeat('x', 60000)), 1, $2 from generate_series(1, 30) as i`, [16]byte(o.ID), b.now())
	put := func(key, value string) error {
		_, err := b.PutAttribute(t.Context(), "demo", o.ID, key, []byte(value), nil, b.now())
		return err
	}
	require.Equal(t, "attributes_too_large", payment.CodeOf(put("state", `1`)))
	require.NoError(t, put("old.1", `"y"`))
	require.Equal(t, "attributes_too_large", payment.CodeOf(put("old.1", `"yes"`)))
	require.NoError(t, b.attributing(payment.Opening{Order: o.ID}, func(o *payment.Order) error {
		require.NoError(t, o.SetAttribute("old.1", []byte(`"n"`), b.now()), "a step that does the same")
		require.ErrorIs(t, o.SetAttribute("old.1", []byte(`"no"`), b.now()), payment.ErrAttributesTooLarge)
		return nil
	}))
}

func TestTheBoundOfAttributesCostsNoStatement(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.order("demo", nil)
	sent := b.tracer.during(func() {
		_, err := b.PutAttribute(t.Context(), "demo", o.ID, "k", []byte(`1`), nil, b.now())
		require.NoError(t, err)
	})
	counting := 0
	for _, statement := range sent {
		if strings.Contains(statement.sql, "count(*)") {
			counting++
		}
	}
	require.Equal(t, 1, counting, "count and size are one question")
	require.LessOrEqual(t, len(sent), 7)
}

// A page that polls where an order stands must not read what nobody shows it.
func TestWhoReadsAnOrderReadsNoAttributes(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.order("demo", nil)
	_, err := b.PutAttribute(t.Context(), "demo", o.ID, "k", []byte(`1`), nil, b.now())
	require.NoError(t, err)
	for _, statement := range b.tracer.during(func() {
		read, err := b.ReadOrder(t.Context(), "demo", o.ID)
		require.NoError(t, err)
		require.Error(t, read.SetAttribute("k", []byte(`2`), b.now()), "nobody takes them for none")
	}) {
		require.NotContains(t, statement.sql, "attributes")
	}
}

func TestAStretchThatFailsWritesNoAttribute(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.order("demo", nil)
	failed := errors.New("a step failed")
	require.ErrorIs(t, b.attributing(payment.Opening{Order: o.ID}, func(o *payment.Order) error {
		require.NoError(t, o.SetAttribute("a", []byte(`1`), b.now()))
		return failed
	}), failed)
	read, err := b.ReadOrderWithAttributes(t.Context(), "demo", o.ID)
	require.NoError(t, err)
	require.Empty(t, read.Attributes)
}
