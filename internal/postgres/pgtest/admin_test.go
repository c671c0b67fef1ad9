package pgtest

import (
	"context"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/jackc/pgx/v5"
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
