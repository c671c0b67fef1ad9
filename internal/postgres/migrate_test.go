package postgres_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/postgres"
	"github.com/paysvc/paysvc/internal/postgres/pgtest"
	"github.com/paysvc/paysvc/migrations"
)

// schema is two migrations, the second of the kind that needs a file and a transaction of its own.
func schema() fstest.MapFS {
	return fstest.MapFS{
		"000001_goods.up.sql":   {Data: []byte("create table goods (name text)")},
		"000001_goods.down.sql": {Data: []byte("drop table goods")},
		"000002_index.up.sql":   {Data: []byte("create index concurrently goods_name on goods (name)")},
		"000002_index.down.sql": {Data: []byte("drop index goods_name")},
	}
}

func version(t *testing.T, url string) postgres.SchemaVersion {
	t.Helper()
	v, err := postgres.MigrateVersion(t.Context(), url)
	require.NoError(t, err)
	return v
}

func TestMigrateGoesUpDownUpAndTwiceIsFine(t *testing.T) {
	t.Parallel()
	url := pgtest.Empty(t)
	require.Equal(t, postgres.SchemaVersion{}, version(t, url))

	require.NoError(t, postgres.Migrate(t.Context(), url, schema()))
	require.NoError(t, postgres.Migrate(t.Context(), url, schema()))
	require.Equal(t, postgres.SchemaVersion{Number: 2}, version(t, url))

	require.NoError(t, postgres.MigrateDown(t.Context(), url, schema(), 1))
	require.Equal(t, postgres.SchemaVersion{Number: 1}, version(t, url))
	require.NoError(t, postgres.MigrateDown(t.Context(), url, schema(), -1))
	require.NoError(t, postgres.MigrateDown(t.Context(), url, schema(), -1), "nothing left to take back")
	require.Equal(t, postgres.SchemaVersion{}, version(t, url))

	require.NoError(t, postgres.Migrate(t.Context(), url, schema()))
	require.Equal(t, postgres.SchemaVersion{Number: 2}, version(t, url))
}

func TestMigrateMayRunInSeveralProcessesAtOnce(t *testing.T) {
	t.Parallel()
	url := pgtest.Empty(t)
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() { assert.NoError(t, postgres.Migrate(t.Context(), url, schema())) })
	}
	wg.Wait()
	require.Equal(t, postgres.SchemaVersion{Number: 2}, version(t, url))
}

func TestOlderReleaseRunsOnANewerSchema(t *testing.T) {
	t.Parallel()
	url := pgtest.DatabaseOf(t, schema())
	older := schema()
	delete(older, "000002_index.up.sql")
	delete(older, "000002_index.down.sql")

	require.NoError(t, postgres.Migrate(t.Context(), url, older))
	require.Equal(t, postgres.SchemaVersion{Number: 2}, version(t, url))
}

func TestFailedMigrationMustBeRepairedAndForced(t *testing.T) {
	t.Parallel()
	url := pgtest.DatabaseOf(t, schema())
	broken := schema()
	broken["000003_oops.up.sql"] = &fstest.MapFile{Data: []byte("create table oops (")}

	require.ErrorContains(t, postgres.Migrate(t.Context(), url, broken), "syntax error")
	require.Equal(t, postgres.SchemaVersion{Number: 3, Dirty: true}, version(t, url))
	err := postgres.Migrate(t.Context(), url, broken)
	require.ErrorContains(t, err, "migration 3 failed half-way")
	require.ErrorContains(t, err, "paysvc migrate force 2")
	require.ErrorContains(t, postgres.MigrateDown(t.Context(), url, broken, 1), "failed half-way")

	require.NoError(t, postgres.MigrateForce(t.Context(), url, broken, 2))
	broken["000003_oops.up.sql"].Data = []byte("create table oops ()")
	require.NoError(t, postgres.Migrate(t.Context(), url, broken))
	require.Equal(t, postgres.SchemaVersion{Number: 3}, version(t, url))
}

func TestMigrateGivesUpWhenItsContextEnds(t *testing.T) {
	t.Parallel()
	url := pgtest.Empty(t)
	gate, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	defer gate.Close(context.Background())
	_, err = gate.Exec(t.Context(), "select pg_advisory_lock(7)")
	require.NoError(t, err)
	slow := schema()
	slow["000001_goods.up.sql"].Data = []byte("create table goods (name text); select pg_advisory_lock(7)")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- postgres.Migrate(ctx, url, slow) }()
	require.Eventually(t, func() bool {
		return query(t, url, `select count(*)::text from pg_locks join pg_database d on d.oid = database
			where d.datname = current_database() and locktype = 'advisory' and objid = 7 and not granted`) == "1"
	}, patience, tick, "the first migration waits")

	cancel()
	_, err = gate.Exec(t.Context(), "select pg_advisory_unlock(7)")
	require.NoError(t, err)
	require.ErrorIs(t, <-ended, context.Canceled)
	require.Equal(t, postgres.SchemaVersion{Number: 1}, version(t, url), "the one under way is finished, the next not begun")
}

func TestOurSchemaGoesUpDownUp(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	require.NoError(t, postgres.MigrateDown(t.Context(), url, migrations.FS, -1))
	require.Equal(t, "0", query(t, url, `select count(*)::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
		where n.nspname = 'public' and c.relname <> 'schema_migrations' and c.relname <> 'schema_migrations_pkey'`),
		"going down leaves nothing behind")
	require.NoError(t, postgres.Migrate(t.Context(), url, migrations.FS))
}

// queueTables counts River's tables.
func queueTables(t *testing.T, url string) string {
	t.Helper()
	return query(t, url, `select count(*)::text from pg_tables where schemaname = 'public' and tablename like 'river\_%'`)
}

func TestTheQueueComesAndGoesWithOurSchema(t *testing.T) {
	t.Parallel()
	url := pgtest.DatabaseOf(t, schema())
	up := queueTables(t, url)
	require.NotEqual(t, "0", up)
	require.NoError(t, postgres.MigrateDown(t.Context(), url, schema(), 1))
	require.Equal(t, up, queueTables(t, url), "it stays while any of our tables does")
	require.NoError(t, postgres.MigrateDown(t.Context(), url, schema(), 1))
	require.Equal(t, "0", queueTables(t, url))
	require.NoError(t, postgres.Migrate(t.Context(), url, schema()))
	require.Equal(t, up, queueTables(t, url))
}

func TestADatabaseFromBeforeTheQueueGetsIt(t *testing.T) {
	t.Parallel()
	url := pgtest.DatabaseOf(t, schema())
	for _, table := range strings.Fields(query(t, url, `select string_agg(tablename, ' ') from pg_tables where tablename like 'river\_%'`)) {
		execute(t, url, "drop table "+table+" cascade")
	}
	execute(t, url, "drop type river_job_state cascade")
	require.NoError(t, postgres.Migrate(t.Context(), url, schema()))
	require.NotEqual(t, "0", queueTables(t, url))
}
