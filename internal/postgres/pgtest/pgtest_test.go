package pgtest_test

import (
	"context"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/postgres"
	"github.com/paysvc/paysvc/internal/postgres/pgtest"
)

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func count(t *testing.T, conn *pgx.Conn, sql string, args ...any) (n int) {
	t.Helper()
	require.NoError(t, conn.QueryRow(t.Context(), sql, args...).Scan(&n))
	return n
}

func databaseName(url string) string {
	_, name, _ := strings.Cut(url, "/test_")
	name, _, _ = strings.Cut(name, "?")
	return "test_" + name
}

func TestEveryTestHasADatabaseOfItsOwnWithTheWholeSchema(t *testing.T) {
	t.Parallel()
	one, other := connect(t, pgtest.Database(t)), connect(t, pgtest.Database(t))
	require.Positive(t, count(t, one, "select version from schema_migrations where not dirty"))

	_, err := one.Exec(t.Context(), "create table mine ()")
	require.NoError(t, err)
	require.Zero(t, count(t, other, "select count(*) from pg_class where relname = 'mine'"))
}

func TestEmptyHasNoTables(t *testing.T) {
	t.Parallel()
	conn := connect(t, pgtest.Empty(t))
	require.Zero(t, count(t, conn, "select count(*) from pg_tables where schemaname = 'public'"))
}

func TestDatabaseIsDroppedWithItsTestEvenWhenConnectionsAreLeft(t *testing.T) {
	t.Parallel()
	var name string
	t.Run("test", func(t *testing.T) {
		url := pgtest.Empty(t)
		name = databaseName(url)
		_, err := pgx.Connect(context.Background(), url)
		require.NoError(t, err)
	})
	conn := connect(t, pgtest.Empty(t))
	require.Zero(t, count(t, conn, "select count(*) from pg_database where datname = $1", name))
}

func TestServerOfATestCanBeStoppedAndStartedAgainOnItsPort(t *testing.T) {
	t.Parallel()
	s, options := pgtest.Server(t, true)
	connect(t, s.URL("postgres"))
	require.NoError(t, s.Stop(t.Context()))
	_, err := pgx.Connect(t.Context(), s.URL("postgres"))
	require.Error(t, err)

	again, err := postgres.Start(t.Context(), options)
	require.NoError(t, err)
	require.Equal(t, s.URL("postgres"), again.URL("postgres"))
	connect(t, again.URL("postgres"))
	require.NoError(t, again.Stop(t.Context()))
}
