package postgres

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
)

// QueueVersion is the number of the newest migration of River, whose tables
// (river_*) stand beside ours: it is the queue of background work.
func QueueVersion() (int, error) {
	migrator, err := queueMigrator(nil)
	if err != nil {
		return 0, err
	}
	newest := 0
	for _, m := range migrator.AllVersions() {
		newest = max(newest, m.Version)
	}
	return newest, nil
}

// raiseQueue brings River's tables up. It must run under the lock of the schema:
// River takes none. Tables that are newer are left alone, like ours.
func raiseQueue(ctx context.Context, conn *pgx.Conn, url string) error {
	newest, err := QueueVersion()
	if err != nil {
		return err
	}
	at, err := queueVersion(ctx, conn)
	if err != nil || at >= newest {
		return err
	}
	return moveQueue(ctx, url, rivermigrate.DirectionUp, nil)
}

// dropQueue takes River's tables away, with all jobs.
func dropQueue(ctx context.Context, conn *pgx.Conn, url string) error {
	at, err := queueVersion(ctx, conn)
	if err != nil || at == 0 {
		return err
	}
	return moveQueue(ctx, url, rivermigrate.DirectionDown, &rivermigrate.MigrateOpts{TargetVersion: -1})
}

// queueVersion reads how far River's tables are, 0 if there are none. The very
// first migration of River is never seen alone: they are run all at once.
func queueVersion(ctx context.Context, conn *pgx.Conn) (version int, err error) {
	var exists bool
	if err := conn.QueryRow(ctx, "select to_regclass('river_migration') is not null").Scan(&exists); err != nil {
		return 0, fmt.Errorf("version of the queue: %w", err)
	}
	if !exists {
		return 0, nil
	}
	if err := conn.QueryRow(ctx, "select coalesce(max(version), 0) from river_migration").Scan(&version); err != nil {
		return 0, fmt.Errorf("version of the queue: %w", err)
	}
	return version, nil
}

func moveQueue(ctx context.Context, url string, to rivermigrate.Direction, options *rivermigrate.MigrateOpts) error {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return fmt.Errorf("database URL: %w", err)
	}
	config.MaxConns = 1
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return fmt.Errorf("migrate the queue: %w", err)
	}
	defer pool.Close()
	migrator, err := queueMigrator(pool)
	if err != nil {
		return err
	}
	if _, err := migrator.Migrate(ctx, to, options); err != nil {
		return fmt.Errorf("migrate the queue: %w", err)
	}
	return nil
}

func queueMigrator(pool *pgxpool.Pool) (*rivermigrate.Migrator[pgx.Tx], error) {
	migrator, err := rivermigrate.New(riverpgxv5.New(pool), &rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, fmt.Errorf("migrations of the queue: %w", err)
	}
	return migrator, nil
}
