// Package pgtest gives every test a PostgreSQL database of its own, with no set-up. Only tests may import it.
//
// The server is started by the first test that needs one and found again by all others, of every package and of
// later runs; it ends with the last test process. PAYSVC_TEST_DATABASE_URL names the superuser's address of an
// existing server to use instead; PAYSVC_POSTGRES_BIN the folder of the binaries. Without PostgreSQL tests fail
// and say how to install it; they never skip.
package pgtest

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/postgres"
	"github.com/paysvc/paysvc/migrations"
)

// waitMax bounds each piece of set-up and clean-up.
const waitMax = 2 * time.Minute

// server is the shared one of this process; held until the process ends.
var server = sync.OnceValues(join)

// Database returns the URL of a fresh, fully migrated database, which is dropped when the test ends.
// Close what you open on it before that, with t.Cleanup or defer.
func Database(t testing.TB) string {
	t.Helper()
	return DatabaseOf(t, migrations.FS)
}

// Empty returns the URL of a fresh database without any tables.
func Empty(t testing.TB) string {
	t.Helper()
	return DatabaseOf(t, nil)
}

// DatabaseOf is Database with other migrations; nil is none.
func DatabaseOf(t testing.TB, files fs.FS) string {
	t.Helper()
	admin, err := server()
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), waitMax)
	defer cancel()
	name, err := admin.create(ctx, files)
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), waitMax)
		defer cancel()
		require.NoError(t, admin.drop(ctx, name))
	})
	return admin.url(name)
}

// Server runs a server for this test alone, which the test may stop, kill and start again on the same port with
// postgres.Start and the returned options. Durable means fsync on.
func Server(t testing.TB, durable bool) (*postgres.Server, postgres.Options) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), waitMax)
	defer cancel()
	binaries, err := postgres.Find(ctx, search())
	require.NoError(t, err)
	dir, err := os.MkdirTemp("", "paysvc-server-")
	require.NoError(t, err)
	options := postgres.Options{DataDir: dir, Binaries: binaries, Durable: durable}
	s, err := postgres.Start(ctx, options)
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), waitMax)
		defer cancel()
		require.NoError(t, s.Stop(ctx))
		require.NoError(t, os.RemoveAll(s.Dir()))
		require.NoError(t, os.RemoveAll(dir))
	})
	return s, options
}

func join() (*admin, error) {
	ctx, cancel := context.WithTimeout(context.Background(), waitMax)
	defer cancel()
	if url := os.Getenv("PAYSVC_TEST_DATABASE_URL"); url != "" {
		return newAdmin(ctx, url)
	}
	binaries, err := postgres.Find(ctx, search())
	if err != nil {
		return nil, err
	}
	s, err := postgres.Start(ctx, postgres.Options{
		DataDir:  filepath.Join(os.TempDir(), fmt.Sprintf("paysvc-test-%d-pg%d", os.Getuid(), binaries.Major)),
		Binaries: binaries,
	})
	if err != nil {
		return nil, err
	}
	a, err := newAdmin(ctx, s.URL("postgres"))
	if err != nil {
		return nil, err
	}
	a.server = s
	if s.Started {
		err = a.sweep(ctx)
	}
	return a, err
}

func search() postgres.Search {
	return postgres.Search{
		BinDir: os.Getenv("PAYSVC_POSTGRES_BIN"), Path: os.Getenv("PATH"),
		Root: filepath.Join(moduleRoot(), postgres.DevFolder),
	}
}

// moduleRoot is the folder of go.mod above the package that is being tested.
func moduleRoot() string {
	dir, err := os.Getwd()
	if err != nil {
		return ""
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
	}
	return ""
}

// sweep drops the databases that killed tests of an earlier run left behind.
func (a *admin) sweep(ctx context.Context) error {
	return a.do(ctx, func(conn *pgx.Conn) error {
		rows, err := conn.Query(ctx, `select datname from pg_database where datname like 'test\_%'`)
		if err != nil {
			return err
		}
		names, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return err
		}
		for _, name := range names {
			if ownerAlive(name) {
				continue
			}
			if err := drop(ctx, conn, name); err != nil {
				return err
			}
		}
		return nil
	})
}
