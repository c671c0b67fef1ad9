package store_test

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
)

// edit is how a column of a type is made to say something else.
func (b *bundle) edit(column, kind string) string {
	b.t.Helper()
	edit, ok := map[string]string{
		"text": "$ || 'x'", "bigint": "coalesce($, 0) + 100000", "integer": "coalesce($, 0) + 1000",
		"timestamp with time zone": "$ + interval '1 microsecond'", "uuid": "'019ca94e-0000-7000-8000-000000000001'",
		"bytea": "coalesce($, '') || '\\x00'", "json": `replace($::text, '"number":"', '"number":"x')::json`,
	}[kind]
	require.True(b.t, ok, "say how a %s is edited", kind)
	return strings.ReplaceAll(edit, "$", column)
}

// columns are those of a table with their types.
func (b *bundle) columns(table string) map[string]string {
	b.t.Helper()
	rows, _ := b.raw.Query(b.t.Context(), `select column_name, data_type from information_schema.columns
		where table_schema = 'public' and table_name = $1`, table)
	all := map[string]string{}
	var name, kind string
	_, err := pgx.ForEachRow(rows, []any{&name, &kind}, func() error {
		all[name] = kind
		return nil
	})
	require.NoError(b.t, err)
	require.Greater(b.t, len(all), 3)
	return all
}

// names tells whether a report says that this row is wrong.
func names(r payment.AuditReport, position int64) bool {
	return slices.ContainsFunc(r.Faults, func(f payment.AuditFault) bool { return f.Position == position }) ||
		slices.ContainsFunc(r.Unfit, func(u payment.UnfitEvent) bool { return u.Position == position })
}

func TestAnyColumnOfAnyRowThatIsEditedIsNamed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	entries := b.history()
	restore := b.keep()
	report := b.verified()
	require.True(t, report.Holds(), "%+v", report)
	for _, e := range entries {
		for column, kind := range b.columns("audit") {
			b.asOwner(fmt.Sprintf("update audit set %s = %s where store = 'demo' and position = %d", column, b.edit(column, kind), e.Position))
			report := b.verified()
			require.True(t, names(report, e.Position), "%s of row %d: %+v", column, e.Position, report)
			restore()
		}
	}
	require.True(t, b.verified().Holds(), "as it was")
}

func TestRowsThatAreTakenOutMovedOrPutInAreNamed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	entries := b.history()
	restore := b.keep()
	last := entries[len(entries)-1].Position
	again := `insert into audit select store, %d, at, actor, source, action, subject, order_id, amount, currency, status, detail,
		null, null, null, hash from audit where position = 3`
	for name, c := range map[string]struct {
		row  int64
		done []string
	}{
		"the first":                 {1, []string{"delete from audit where position = 1"}},
		"one in the middle":         {4, []string{"delete from audit where position = 4"}},
		"some in the middle":        {4, []string{"delete from audit where position between 4 and 6"}},
		"closed up":                 {4, []string{"delete from audit where position = 4", "update audit set position = position - 1 where position = 5", "update audit set position = position - 1 where position = 6", "update audit set position = position - 1 where position = 7", "update audit set position = position - 1 where position = 8", "update audit_heads set position = position - 1"}},
		"the last":                  {last, []string{fmt.Sprintf("delete from audit where position = %d", last)}},
		"all":                       {1, []string{"delete from audit"}},
		"swapped":                   {3, []string{"update audit set position = 100 where position = 3", "update audit set position = 3 where position = 5", "update audit set position = 5 where position = 100"}},
		"put in behind":             {last + 1, []string{fmt.Sprintf(again, last+1)}},
		"put in before the first":   {1, []string{fmt.Sprintf(again, 0)}},
		"put in far below":          {1, []string{fmt.Sprintf(again, -7)}},
		"put in with a head for it": {last + 1, []string{fmt.Sprintf(again, last+1), "update audit_heads set position = position + 1"}},
	} {
		b.asOwner(c.done...)
		report := b.verified()
		require.True(t, names(report, c.row), "%s: %+v", name, report)
		restore()
	}
}

func TestAHeadThatIsEditedIsNamed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.history()
	restore := b.keep()
	for _, done := range []string{
		"update audit_heads set position = position + 1", "update audit_heads set position = position - 1", "update audit_heads set position = 0",
		`update audit_heads set hash = '\x00'`, "update audit_heads set sequence = sequence - 1", "update audit_heads set sequence = sequence + 1",
		"update audit_heads set sequence = 1", "delete from audit_heads",
	} {
		b.asOwner(done)
		report := b.verified()
		require.NotEmpty(t, report.Faults, "%s: %+v", done, report)
		restore()
	}
}

func TestEventsThatDifferFromTheAuditAreNamed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	entries := b.history()
	restore := b.keep()
	for _, e := range entries {
		if e.Event == 0 {
			continue
		}
		id := payment.EventID{Order: e.Order, N: e.Event}
		for column, kind := range b.columns("events") {
			b.asOwner(fmt.Sprintf("update events set %s = %s where sequence = %d", column, b.edit(column, kind), e.Sequence))
			report := b.verified()
			require.True(t, slices.ContainsFunc(report.Unfit, func(u payment.UnfitEvent) bool { return u.Event == id && u.Position == e.Position }),
				"%s of %s: %+v", column, id, report)
			restore()
		}
		b.asOwner(fmt.Sprintf("delete from events where sequence = %d", e.Sequence))
		require.Equal(t, []payment.UnfitEvent{{Event: id, Sequence: e.Sequence, Position: e.Position, What: "is gone"}}, b.verified().Unfit)
		restore()
		for name, sequence := range map[string]int64{"before": e.Sequence - 1, "beside": e.Sequence} {
			b.asOwner(fmt.Sprintf(`insert into events (order_id, n, store, sequence, type, body, at, actor, source)
				select order_id, 999, store, %d, type, body, at, actor, source from events where sequence = %d`, sequence, e.Sequence))
			require.Equal(t, []payment.UnfitEvent{{
				Event: payment.EventID{Order: e.Order, N: 999}, Sequence: sequence, What: "was put in later",
			}}, b.verified().Unfit, "%s %s", name, id)
			restore()
		}
	}
	require.True(t, b.verified().Holds(), "as it was")
}

func TestAHeadThatWasNotedFindsWhatTheDatabaseAloneDoesNotShow(t *testing.T) {
	t.Parallel()
	b := setup(t)
	entries := b.history()
	restore := b.keep()
	noted, err := b.AuditHead(t.Context(), "demo")
	require.NoError(t, err)
	read, err := payment.ParseAuditHead(noted.String())
	require.NoError(t, err)
	require.True(t, b.verified(read).Holds())

	before := entries[4]
	b.asOwner("delete from audit where position > 5",
		fmt.Sprintf(`update audit_heads set position = 5, hash = '\x%s', sequence = %d`, hex.EncodeToString(before.Hash), max(before.Sequence, entries[1].Sequence)))
	require.True(t, b.verified().Holds(), "the end is cut off, and the events look as if they were still to come")
	require.Equal(t, int64(3), b.verified().Behind)
	report := b.verified(read)
	require.Equal(t, int64(6), report.Faults[0].Position, "%+v", report)
	restore()

	b.rewrite(entries)
	require.True(t, b.verified().Holds(), "whoever can write everything can make up everything")
	report = b.verified(read)
	require.Equal(t, noted.Position, report.Faults[0].Position, "but not a hash that was noted: %+v", report)
}

// rewrite makes the third entry say that somebody else did it, and chains all that
// comes behind it anew.
func (b *bundle) rewrite(entries []payment.AuditEntry) {
	b.t.Helper()
	var hash []byte
	for i := range entries {
		e := entries[i]
		if e.Position == 3 {
			e.Actor = "key_2"
		}
		hash = e.Chained(hash)
		b.asOwner(fmt.Sprintf(`update audit set actor = '%s', hash = '\x%s' where store = 'demo' and position = %d`, e.Actor, hex.EncodeToString(hash), e.Position))
	}
	b.asOwner(fmt.Sprintf(`update audit_heads set hash = '\x%s' where store = 'demo'`, hex.EncodeToString(hash)))
}

func TestTheAuditRefusesEveryChange(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.history()
	for _, statement := range []string{
		"update audit set actor = 'x'", "update audit set actor = actor where false", "delete from audit", "delete from audit where position = 3",
		"truncate audit", "truncate audit, audit_heads",
	} {
		_, err := b.raw.Exec(t.Context(), statement)
		require.ErrorContains(t, err, "append-only", statement)
	}
	require.True(t, b.verified().Holds())
}
