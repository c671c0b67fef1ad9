package store_test

import (
	"errors"
	"sort"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
)

func TestNotesAreNumberedByTheirOrder(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.order("demo", nil)
	b.pay(o.ID, "card", payment.Approved) // takes numbers, too
	const writers = 12
	together(writers, func(i int) {
		if i%2 == 0 {
			b.work(o.ID, func(o *payment.Order) payment.Closing {
				o.Note(b.now(), "system", strconv.Itoa(i))
				return payment.Closing{}
			})
			return
		}
		_, err := b.AddNote(t.Context(), "demo", o.ID, payment.Note{Author: "key", Text: strconv.Itoa(i), At: b.now()}, b.by())
		if err != nil {
			t.Error(err)
		}
	})
	added, err := b.AddNote(t.Context(), "demo", o.ID,
		payment.Note{Author: "key", Text: "<last>\n'", DisplayToCustomer: true, At: b.now()}, b.by())
	require.NoError(t, err)

	var notes []payment.Note
	eachPage(t, 5, func(page payment.Page) (string, error) {
		list, next, err := b.ListNotes(t.Context(), "demo", o.ID, page)
		notes = append(notes, list...)
		return next, err
	})
	require.Equal(t, added, notes[0])
	require.Equal(t, payment.Note{N: added.N, Author: "key", Text: "<last>\n'", DisplayToCustomer: true, At: b.now()}, added)
	require.True(t, sort.SliceIsSorted(notes, func(i, j int) bool { return notes[i].N > notes[j].N }))
	require.Len(t, notes, writers+2, "and the one about the payment")
}

func TestNotesOfAnotherStoreDoNotExist(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.order("demo", nil)
	none, next, err := b.ListNotes(t.Context(), "demo", o.ID, payment.Page{})
	require.NoError(t, err)
	require.Empty(t, none)
	require.Empty(t, next)
	for storeName, id := range map[string]payment.OrderID{"other": o.ID, "demo": payment.OrderID(b.ids.New())} {
		_, err := b.AddNote(t.Context(), storeName, id, payment.Note{Text: "x", At: b.now()}, b.by())
		require.ErrorIs(t, err, payment.ErrOrderNotFound)
		_, _, err = b.ListNotes(t.Context(), storeName, id, payment.Page{})
		require.ErrorIs(t, err, payment.ErrOrderNotFound)
	}
}

func TestNotesLeaveNumbersForTheMoney(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.order("demo", nil)
	b.exec("update orders set numbers = 500000")
	_, err := b.AddNote(t.Context(), "demo", o.ID, payment.Note{Text: "x", At: b.now()}, b.by())
	require.Equal(t, "order_full", payment.CodeOf(err))
	require.Equal(t, 500000, value[int](b, "select numbers from orders"))
}

func TestAttributesAreComparedAndSet(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.order("demo", nil)
	ctx := t.Context()
	_, err := b.Attribute(ctx, "demo", o.ID, "k")
	require.Equal(t, payment.KindNotFound, payment.KindOf(err))

	first, err := b.PutAttribute(ctx, "demo", o.ID, "k", []byte(`{"a": 1.50, "nul": "\u0000"}`), nil, b.now())
	require.NoError(t, err)
	got, err := b.Attribute(ctx, "demo", o.ID, "k")
	require.NoError(t, err)
	require.Equal(t, first, got)
	require.Equal(t, `{"a": 1.50, "nul": "\u0000"}`, string(got.Value), "to the byte")

	second, err := b.PutAttribute(ctx, "demo", o.ID, "k", []byte(`2`), &first.Version, b.now())
	require.NoError(t, err)
	require.Greater(t, second.Version, first.Version, "although no time went by")
	_, err = b.PutAttribute(ctx, "demo", o.ID, "k", []byte(`3`), &first.Version, b.now())
	require.Equal(t, "version_conflict", payment.CodeOf(err))
	require.Equal(t, payment.KindConflict, payment.KindOf(err))
	absent := int64(0)
	_, err = b.PutAttribute(ctx, "demo", o.ID, "k", []byte(`3`), &absent, b.now())
	require.Equal(t, "version_conflict", payment.CodeOf(err))
	require.Equal(t, "version_conflict", payment.CodeOf(b.DeleteAttribute(ctx, "demo", o.ID, "k", &first.Version)))

	require.NoError(t, b.DeleteAttribute(ctx, "demo", o.ID, "k", &second.Version))
	require.Equal(t, payment.KindNotFound, payment.KindOf(b.DeleteAttribute(ctx, "demo", o.ID, "k", nil)))
	anew, err := b.PutAttribute(ctx, "demo", o.ID, "k", []byte(`4`), &absent, b.tick(time.Second))
	require.NoError(t, err)
	require.NotContains(t, []int64{first.Version, second.Version}, anew.Version, "a version is never used again")
}

func TestAttributesOneOfTwoRivalsWins(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.order("demo", nil)
	absent := int64(0)
	errs := make([]error, 8)
	together(len(errs), func(i int) {
		_, errs[i] = b.PutAttribute(t.Context(), "demo", o.ID, "k", []byte("1"), &absent, b.now())
	})
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
		} else {
			require.Equal(t, "version_conflict", payment.CodeOf(err))
		}
	}
	require.Equal(t, 1, won)
}

func TestAttributesAreBoundedAndScoped(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.order("demo", nil)
	b.exec(`insert into attributes (order_id, key, value, version, updated_at)
		select $1, 'k' || i, '1', 1, $2 from generate_series(1, 199) i`, [16]byte(o.ID), b.now())
	errs := make([]error, 4)
	together(len(errs), func(i int) {
		_, errs[i] = b.PutAttribute(t.Context(), "demo", o.ID, name("new", i), []byte("1"), nil, b.now())
	})
	require.Equal(t, 200, value[int](b, "select count(*) from attributes"))
	require.Equal(t, "too_many_attributes", payment.CodeOf(errors.Join(errs...)))
	_, err := b.PutAttribute(t.Context(), "demo", o.ID, "k1", []byte("2"), nil, b.now())
	require.NoError(t, err, "one that exists may change")

	_, err = b.Attribute(t.Context(), "other", o.ID, "k1")
	require.Equal(t, payment.KindNotFound, payment.KindOf(err))
	_, err = b.PutAttribute(t.Context(), "other", o.ID, "k1", []byte("1"), nil, b.now())
	require.ErrorIs(t, err, payment.ErrOrderNotFound)
	require.ErrorIs(t, b.DeleteAttribute(t.Context(), "other", o.ID, "k1", nil), payment.ErrOrderNotFound)
}
