package store_test

import (
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/postgres"
	"github.com/paysvc/paysvc/internal/postgres/pgtest"
	"github.com/paysvc/paysvc/migrations"
)

func TestMigrationsGoUpDownAndUpAgain(t *testing.T) {
	t.Parallel()
	url := pgtest.Empty(t)
	require.NoError(t, postgres.Migrate(t.Context(), url, migrations.FS))
	up := schema(t, url)
	require.NotEmpty(t, up)
	require.NoError(t, postgres.MigrateDown(t.Context(), url, migrations.FS, -1))
	require.Empty(t, schema(t, url), "down leaves something behind")
	require.NoError(t, postgres.Migrate(t.Context(), url, migrations.FS))
	require.Equal(t, up, schema(t, url))
}

func TestMigrationsGoDownOneByOne(t *testing.T) {
	t.Parallel()
	url := pgtest.Empty(t)
	require.NoError(t, postgres.Migrate(t.Context(), url, migrations.FS))
	version, err := postgres.MigrateVersion(t.Context(), url)
	require.NoError(t, err)
	for down := range version.Number {
		before := schema(t, url)
		require.NoError(t, postgres.MigrateDown(t.Context(), url, migrations.FS, 1))
		below := schema(t, url)
		require.NotEqual(t, before, below)
		require.NoError(t, postgres.Migrate(t.Context(), url, migrations.FS))
		require.NoError(t, postgres.MigrateDown(t.Context(), url, migrations.FS, int(down)+1))
		require.Equal(t, below, schema(t, url))
	}
}

// schema lists the columns, constraints, indexes and functions that are not of
// PostgreSQL or of the migrations themselves.
func schema(t *testing.T, url string) []string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	defer conn.Close(t.Context())
	rows, _ := conn.Query(t.Context(), `
		select format('column %s.%s %s %s %s', table_name, column_name, data_type, is_nullable, column_default)
		from information_schema.columns where table_schema = 'public' and table_name <> 'schema_migrations'
		union all
		select format('constraint %s %s', conrelid::regclass, pg_get_constraintdef(oid)) from pg_constraint
		where connamespace = 'public'::regnamespace and conrelid <> coalesce(to_regclass('schema_migrations'), 0)
		union all
		select format('index %s', indexdef) from pg_indexes where schemaname = 'public' and tablename <> 'schema_migrations'
		union all
		select format('function %s', oid::regprocedure) from pg_proc where pronamespace = 'public'::regnamespace
		union all
		select format('type %s', typname) from pg_type where typnamespace = 'public'::regnamespace and typtype in ('e', 'd')
		order by 1`)
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	return lines
}
