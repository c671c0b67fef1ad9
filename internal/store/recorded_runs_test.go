package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
)

func TestRecordedRunsAreListedNewestOrderFirst(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var want []payment.RunID
	record := func(storeName string, pipelines ...string) {
		b.tick(time.Second)
		o := b.order(storeName, nil)
		var ids []payment.RunID
		for _, name := range pipelines {
			err := b.Stretch(t.Context(), payment.Opening{Order: o.ID, Token: b.ids.New()}, func(o *payment.Order) (payment.Closing, error) {
				r := &payment.RunRecord{
					N: o.NextNumber(), Pipeline: name, Hash: "abc", State: payment.RunDone, BegunAt: b.now(), EndedAt: b.now(), New: true,
					Steps: []payment.StepRecord{{Step: "save-order", Result: "done", BegunAt: b.now()}}, Payment: 7,
				}
				ids = append([]payment.RunID{{Order: o.ID, N: r.N}}, ids...)
				return payment.Closing{Runs: []*payment.RunRecord{r}}, nil
			})
			require.NoError(t, err)
		}
		want = append(ids, want...)
	}
	record("demo", "pre-process", "confirm")
	record("other", "internal")
	record("demo", "confirm", "confirm", "post-process")

	list := func(f payment.RunFilter, after payment.RunID, limit int) (ids []payment.RunID) {
		t.Helper()
		runs, err := b.RecordedRuns(t.Context(), f, after, limit)
		require.NoError(t, err)
		for _, r := range runs {
			ids = append(ids, r.ID)
			require.Equal(t, r.ID.N, r.N)
			require.Equal(t, 7, r.Payment)
			require.Equal(t, "save-order", r.Steps[0].Step)
			require.NotEmpty(t, r.Store)
		}
		return ids
	}
	require.Equal(t, want, list(payment.RunFilter{}, payment.RunID{}, 100))
	require.Equal(t, want[:2], list(payment.RunFilter{}, payment.RunID{}, 2))
	require.Equal(t, want[2:], list(payment.RunFilter{}, want[1], 100))
	require.Equal(t, want[3:4], list(payment.RunFilter{Store: "other"}, payment.RunID{}, 100))
	require.Equal(t, []payment.RunID{want[1], want[2], want[4]}, list(payment.RunFilter{Pipeline: "confirm"}, payment.RunID{}, 100))
	require.Empty(t, list(payment.RunFilter{Store: "nobody"}, payment.RunID{}, 100))
}

// One row of orders too many costs nothing, the whole table does.
func TestRecordedRunsAreFoundByTheKey(t *testing.T) {
	t.Parallel()
	b := filled(t)
	for _, storeName := range []string{"", "large", "small"} {
		first, err := b.RecordedRuns(t.Context(), payment.RunFilter{Store: storeName}, payment.RunID{}, 50)
		require.NoError(t, err)
		require.Len(t, first, 50)
		for _, after := range []payment.RunID{{}, first[49].ID} {
			sent := b.tracer.during(func() {
				_, err = b.RecordedRuns(t.Context(), payment.RunFilter{Store: storeName, Pipeline: "confirm"}, after, 50)
			})
			require.NoError(t, err)
			require.Len(t, sent, 1)
			plan := b.explain(sent[0])
			require.Empty(t, excesses(plan), "store %q: %s", storeName, sent[0].sql)
		}
	}
}
