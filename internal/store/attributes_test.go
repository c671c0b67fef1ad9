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

	read, err := b.ReadOrder(t.Context(), "demo", o.ID)
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
	read, err := b.ReadOrder(t.Context(), "demo", fresh.ID)
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

func TestAStretchThatFailsWritesNoAttribute(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.order("demo", nil)
	failed := errors.New("a step failed")
	require.ErrorIs(t, b.attributing(payment.Opening{Order: o.ID}, func(o *payment.Order) error {
		require.NoError(t, o.SetAttribute("a", []byte(`1`), b.now()))
		return failed
	}), failed)
	read, err := b.ReadOrder(t.Context(), "demo", o.ID)
	require.NoError(t, err)
	require.Empty(t, read.Attributes)
}
