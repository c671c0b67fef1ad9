package main

import (
	"context"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/paysvc/paysvc/internal/postgres"
	"github.com/paysvc/paysvc/migrations"
)

const databaseName = "chaos"

// database is the PostgreSQL server that is stopped, killed and started again.
type database struct {
	options postgres.Options
	server  *postgres.Server
}

// startDatabase starts a durable server in dir with an empty, migrated database.
func startDatabase(ctx context.Context, dir string) (*database, error) {
	search := postgres.Search{
		BinDir: os.Getenv("PAYSVC_POSTGRES_BIN"), Path: os.Getenv("PATH"), Root: postgres.DevFolder,
	}
	binaries, err := postgres.Find(ctx, search)
	if errors.Is(err, postgres.ErrNotFound) {
		binaries, err = postgres.Install(ctx, search, os.Stderr)
	}
	if err != nil {
		return nil, err
	}
	db := &database{options: postgres.Options{
		DataDir: filepath.Join(dir, "postgres"), Binaries: binaries, Durable: true,
		Settings: map[string]string{"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"},
	}}
	if err := db.start(ctx); err != nil {
		return nil, err
	}
	err = db.server.CreateDatabase(ctx, databaseName)
	if err == nil {
		err = postgres.Migrate(ctx, db.url(), migrations.FS)
	}
	if err != nil {
		bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopMax)
		defer cancel()
		return nil, errors.Join(err, db.stop(bounded))
	}
	return db, nil
}

func (db *database) start(ctx context.Context) (err error) {
	db.server, err = postgres.Start(ctx, db.options)
	return err
}

// url leads to the server itself, past the proxy.
func (db *database) url() string { return db.server.URL(databaseName) }

// address is where the server listens.
func (db *database) address() (string, error) {
	u, err := url.Parse(db.url())
	if err != nil {
		return "", err
	}
	return u.Host, nil
}

const pollEvery = 10 * time.Millisecond

// end ends the server with a signal of its own: SIGQUIT is an immediate shutdown,
// SIGKILL a crash. It returns once the server is gone.
func (db *database) end(ctx context.Context, signal syscall.Signal) error {
	pid := db.server.PID()
	if err := syscall.Kill(pid, signal); err != nil && !errors.Is(err, syscall.ESRCH) {
		return err
	}
	for !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
		if err := pause(ctx, pollEvery); err != nil {
			return err
		}
	}
	return db.server.Stop(ctx) // only its lease is left to give up
}

func (db *database) stop(ctx context.Context) error { return db.server.Stop(ctx) }

// connect opens a connection past the proxy.
func (db *database) connect(ctx context.Context) (*pgx.Conn, error) {
	return pgx.Connect(ctx, db.url())
}

// terminate ends some backends of the service, as an administrator would.
func (db *database) terminate(ctx context.Context, most int) (int, error) {
	conn, err := db.connect(ctx)
	if err != nil {
		return 0, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	var ended int
	err = conn.QueryRow(ctx, `select count(pg_terminate_backend(pid)) from (
		select pid from pg_stat_activity where application_name = 'paysvc' order by random() limit $1) as ended`, most).Scan(&ended)
	return ended, err
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
