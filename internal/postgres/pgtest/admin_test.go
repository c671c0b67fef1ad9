package pgtest

import (
	"context"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestExistingServerTakesThePlaceOfOurs(t *testing.T) {
	s, _ := Server(t, false)
	t.Setenv("PAYSVC_TEST_DATABASE_URL", s.URL("postgres"))

	a, err := join()
	require.NoError(t, err)
	require.Nil(t, a.server)
	name, err := a.create(t.Context(), nil)
	require.NoError(t, err)
	require.Equal(t, s.URL(name), a.url(name))
	require.NoError(t, a.drop(t.Context(), name))
}

func TestPasswordOfAnExistingServerIsNotRepeated(t *testing.T) {
	t.Parallel()
	_, err := newAdmin(t.Context(), "postgres://user:secret@[broken")
	require.Error(t, err)
	require.NotContains(t, err.Error(), "secret")
}

func TestMissingPostgresFailsWithTheInstallHint(t *testing.T) {
	t.Setenv("PAYSVC_POSTGRES_BIN", t.TempDir())
	_, err := join()
	require.ErrorIs(t, err, os.ErrNotExist, "the folder that the developer named is the only one looked at")
}

func TestSweepDropsTheDatabasesOfDeadProcessesOnly(t *testing.T) {
	t.Parallel()
	s, _ := Server(t, false)
	a, err := newAdmin(t.Context(), s.URL("postgres"))
	require.NoError(t, err)
	dead := exec.CommandContext(t.Context(), "true")
	require.NoError(t, dead.Run())
	left := "test_" + strconv.Itoa(dead.ProcessState.Pid()) + "_a"
	kept := "test_" + strconv.Itoa(os.Getpid()) + "_b"
	for _, name := range []string{left, kept, "test_results"} {
		require.NoError(t, s.CreateDatabase(t.Context(), name))
	}

	require.NoError(t, a.sweep(t.Context()))
	require.NoError(t, a.do(t.Context(), func(conn *pgx.Conn) error {
		for name, want := range map[string]bool{left: false, kept: true, "test_results": true} {
			found, err := exists(t.Context(), conn, name)
			require.NoError(t, err)
			require.Equal(t, want, found, name)
		}
		return nil
	}))
}

func schema(table string) fstest.MapFS {
	return fstest.MapFS{"000001_x.up.sql": {Data: []byte("create table " + table + " ()")}}
}

// templates are the names on the server, by age.
func templates(t *testing.T, a *admin) (names []string) {
	t.Helper()
	require.NoError(t, a.do(t.Context(), func(conn *pgx.Conn) error {
		rows, err := conn.Query(t.Context(), "select datname from pg_database where datname like $1 order by oid", template+"%")
		require.NoError(t, err)
		names, err = pgx.CollectRows(rows, pgx.RowTo[string])
		return err
	}))
	return names
}

func TestManyTestsAtOnceMakeOneTemplateAndChangedMigrationsAnother(t *testing.T) {
	t.Parallel()
	s, _ := Server(t, false)
	a, err := newAdmin(t.Context(), s.URL("postgres"))
	require.NoError(t, err)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			_, err := a.create(t.Context(), schema("goods"))
			assert.NoError(t, err)
		})
	}
	wg.Wait()
	first := templates(t, a)
	require.Len(t, first, 1)

	for i := range templatesMax {
		_, err := a.create(t.Context(), schema("goods"+strconv.Itoa(i)))
		require.NoError(t, err)
	}
	later := templates(t, a)
	require.Len(t, later, templatesMax)
	require.NotContains(t, later, first[0], "the oldest is forgotten")
	_, err = a.create(t.Context(), schema("goods"))
	require.NoError(t, err, "and made again when needed")
}

func TestStrategyIsWhatThisServerVersionKnows(t *testing.T) {
	t.Parallel()
	require.Empty(t, strategy(140011))
	require.Equal(t, " strategy wal_log", strategy(150018))
	require.Equal(t, " strategy file_copy", strategy(180004))
}

// BenchmarkClone measures what every test that needs a database pays.
func BenchmarkClone(b *testing.B) {
	a, err := server()
	require.NoError(b, err)
	for b.Loop() {
		name, err := a.create(context.Background(), nil)
		require.NoError(b, err)
		require.NoError(b, a.drop(context.Background(), name))
	}
}
