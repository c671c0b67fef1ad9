package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/golang-migrate/migrate/v4"
	migratepgx "github.com/golang-migrate/migrate/v4/database/pgx/v5"
	"github.com/golang-migrate/migrate/v4/source"
	"github.com/golang-migrate/migrate/v4/source/iofs"
	"github.com/jackc/pgx/v5"
)

// migrationLock is the advisory lock of everyone who changes a schema; an arbitrary number of our own.
const migrationLock = 7_290_117_482

const lockEvery = 50 * time.Millisecond

// SchemaVersion is the number of the last migration that was begun; 0 is an empty database.
type SchemaVersion struct {
	Number uint
	// Dirty means that this migration failed half-way.
	Dirty bool
}

// Migrate brings a database up to the newest migration in files, and River's tables after them. Nothing to do is success, and so is a schema
// that is newer than files: the previous release runs on it. Several processes may call it at once. A schema
// that an earlier run left half-way is an error that says what to do.
func Migrate(ctx context.Context, url string, files fs.FS) error {
	return change(ctx, url, files, func(conn *pgx.Conn, m *migrate.Migrate, now SchemaVersion) error {
		newest, err := newestIn(files)
		if err != nil {
			return err
		}
		if err := now.mustBeClean(); err != nil {
			return err
		}
		if err := walk(ctx, m, now, 1, func(at SchemaVersion) bool { return at.Number >= newest }); err != nil {
			return err
		}
		return raiseQueue(ctx, conn, url)
	})
}

// MigrateDown takes back that many migrations, all of them if steps is negative; River's tables go with the first
// of ours. It deletes data.
func MigrateDown(ctx context.Context, url string, files fs.FS, steps int) error {
	return change(ctx, url, files, func(conn *pgx.Conn, m *migrate.Migrate, now SchemaVersion) error {
		if err := now.mustBeClean(); err != nil {
			return err
		}
		left, empty := steps, false
		err := walk(ctx, m, now, -1, func(at SchemaVersion) bool {
			left--
			empty = at.Number == 0
			return empty || left == -1
		})
		if err != nil || !empty {
			return err
		}
		return dropQueue(ctx, conn, url)
	})
}

// MigrateForce records that the schema is at version, without running anything: the last step after a failed
// migration was repaired by hand. -1 stands for the empty database.
func MigrateForce(ctx context.Context, url string, files fs.FS, version int) error {
	return change(ctx, url, files, func(_ *pgx.Conn, m *migrate.Migrate, _ SchemaVersion) error {
		return m.Force(version)
	})
}

// MigrateVersion reads the version of a schema and changes nothing.
func MigrateVersion(ctx context.Context, url string) (SchemaVersion, error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return SchemaVersion{}, fmt.Errorf("schema version: %w", err)
	}
	defer conn.Close(ctx)
	return readVersion(ctx, conn)
}

func readVersion(ctx context.Context, conn *pgx.Conn) (v SchemaVersion, err error) {
	var exists bool
	if err := conn.QueryRow(ctx, "select to_regclass('schema_migrations') is not null").Scan(&exists); err != nil {
		return v, fmt.Errorf("schema version: %w", err)
	}
	if !exists {
		return v, nil
	}
	err = conn.QueryRow(ctx, "select version, dirty from schema_migrations limit 1").Scan(&v.Number, &v.Dirty)
	if errors.Is(err, pgx.ErrNoRows) {
		return SchemaVersion{}, nil
	}
	if err != nil {
		return v, fmt.Errorf("schema version: %w", err)
	}
	return v, nil
}

func (v SchemaVersion) mustBeClean() error {
	if !v.Dirty {
		return nil
	}
	return fmt.Errorf("migration %d failed half-way: put the schema right by hand, then run "+
		"\"paysvc migrate force %d\" if it is as before that migration, or \"paysvc migrate force %d\" if as after it",
		v.Number, int64(v.Number)-1, v.Number) //nolint:gosec // a migration's number is small
}

// walk takes one step after the other until done says so. (The library's own way to stop between steps has a data race.)
func walk(ctx context.Context, m *migrate.Migrate, at SchemaVersion, step int, done func(SchemaVersion) bool) error {
	for !done(at) {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := m.Steps(step); err != nil {
			return err
		}
		number, dirty, err := m.Version()
		if err != nil && !errors.Is(err, migrate.ErrNilVersion) {
			return err
		}
		at = SchemaVersion{Number: number, Dirty: dirty}
	}
	return nil
}

// change runs do under the lock. Cancelling ctx stops after the migration that is under way.
func change(
	ctx context.Context, url string, files fs.FS, do func(*pgx.Conn, *migrate.Migrate, SchemaVersion) error,
) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if err := lockSchema(ctx, conn); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	now, err := readVersion(ctx, conn)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	m, err := open(url, files)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	err = do(conn, m, now)
	sourceErr, databaseErr := m.Close()
	if err := errors.Join(err, sourceErr, databaseErr); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

// lockSchema asks again and again instead of waiting in the database, because "create index concurrently" in the
// migration of the holder would wait for the snapshot of a waiting statement, and so for ever. The lock goes
// with the connection.
func lockSchema(ctx context.Context, conn *pgx.Conn) error {
	for {
		var ours bool
		if err := conn.QueryRow(ctx, "select pg_try_advisory_lock($1)", migrationLock).Scan(&ours); err != nil {
			return fmt.Errorf("lock schema: %w", err)
		}
		if ours {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("lock schema: %w", ctx.Err())
		case <-time.After(lockEvery):
		}
	}
}

// open uses golang-migrate on a connection of ours, because by URL its driver answers to no scheme but pgx5.
func open(url string, files fs.FS) (*migrate.Migrate, error) {
	src, err := iofs.New(files, ".")
	if err != nil {
		return nil, fmt.Errorf("read migrations: %w", err)
	}
	db, err := sql.Open("pgx/v5", url)
	if err != nil {
		return nil, errors.Join(err, src.Close())
	}
	driver, err := migratepgx.WithInstance(db, &migratepgx.Config{})
	if err != nil {
		return nil, errors.Join(err, src.Close(), db.Close())
	}
	m, err := migrate.NewWithInstance("iofs", src, "pgx5", driver)
	if err != nil {
		return nil, errors.Join(err, src.Close(), driver.Close())
	}
	return m, nil
}

// newestIn is the highest version among the migrations, 0 if there are none.
func newestIn(files fs.FS) (uint, error) {
	names, err := fs.Glob(files, "*.up.sql")
	if err != nil {
		return 0, err
	}
	var newest uint
	for _, name := range names {
		m, err := source.DefaultParse(name)
		if err != nil {
			return 0, fmt.Errorf("migration %s: %w", name, err)
		}
		newest = max(newest, m.Version)
	}
	return newest, nil
}
