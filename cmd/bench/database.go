package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/paysvc/paysvc/internal/postgres"
	"github.com/paysvc/paysvc/migrations"
)

const (
	// folder keeps what the bench leaves behind, in the ignored development folder.
	folder       = postgres.DevFolder + "/bench"
	databaseName = "bench"
	// connectionsMax is what the service takes by default.
	connectionsMax = 32
)

// serverSettings are what an operator sets on a machine of this size, so that
// neither side waits for checkpoints that the default of 1 GB of WAL forces.
func serverSettings() map[string]string {
	return map[string]string{"shared_buffers": "256MB", "max_wal_size": "4GB", "checkpoint_timeout": "15min"}
}

// database is the PostgreSQL that both sides work on.
type database struct {
	server  *postgres.Server
	url     string
	pool    *pgxpool.Pool // of the floor
	version string
}

// openDatabase starts a private cluster and makes an empty, migrated database.
func openDatabase(ctx context.Context) (*database, error) {
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
	server, err := postgres.Start(ctx, postgres.Options{
		DataDir: filepath.Join(folder, "postgres"), Binaries: binaries, Durable: true, Settings: serverSettings(),
	})
	if err != nil {
		return nil, err
	}
	db := &database{
		server: server, url: server.URL(databaseName), version: fmt.Sprintf("%d.%d", binaries.Major, binaries.Minor),
	}
	if err := db.create(ctx); err != nil {
		db.close()
		return nil, err
	}
	return db, nil
}

// create replaces the database of the last run by an empty one.
func (db *database) create(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, db.server.URL("postgres"))
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, "drop database if exists "+databaseName+" with (force)")
	if closeErr := conn.Close(ctx); err == nil {
		err = closeErr
	}
	if err != nil {
		return fmt.Errorf("drop the database of the last run: %w", err)
	}
	if err := db.server.CreateDatabase(ctx, databaseName); err != nil {
		return err
	}
	if err := postgres.Migrate(ctx, db.url, migrations.FS); err != nil {
		return err
	}
	config, err := pgxpool.ParseConfig(db.url)
	if err != nil {
		return err
	}
	config.MaxConns = connectionsMax
	db.pool, err = pgxpool.NewWithConfig(ctx, config)
	return err
}

func (db *database) close() {
	if db.pool != nil {
		db.pool.Close()
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := db.server.Stop(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "bench: "+err.Error())
	}
}
