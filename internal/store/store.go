// Package store holds all SQL. One exported method is one database transaction,
// no type of the driver appears in a signature, and no method calls anything
// outside the database while a transaction is open.
package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/paysvc/paysvc/internal/payment"
)

// Options tune the connections. The zero value of a field means its default.
type Options struct {
	ConnectionsMax int           // 32
	AcquireMax     time.Duration // how long to wait for a connection: 1 s
	// Tracer sees every statement; tests count round trips with it.
	Tracer pgx.QueryTracer
	// NewID makes the ids of rows that no caller names.
	NewID func() payment.ID
}

// Store keeps the books in PostgreSQL. It is safe for concurrent use.
type Store struct {
	pool       *pgxpool.Pool
	acquireMax time.Duration
	newID      func() payment.ID
}

// The bounds that the server puts on our statements and transactions.
const (
	statementTimeout = "5s"
	lockTimeout      = "2s"
	idleTimeout      = "10s"
)

// Open connects to the database. It returns once a connection works.
func Open(ctx context.Context, url string, o Options) (*Store, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("database URL: %w", err)
	}
	config.MaxConns = 32
	if o.ConnectionsMax > 0 {
		config.MaxConns = int32(min(o.ConnectionsMax, 1000))
	}
	config.ConnConfig.Tracer = o.Tracer
	parameters := config.ConnConfig.RuntimeParams
	parameters["application_name"] = "paysvc"
	parameters["statement_timeout"] = statementTimeout
	parameters["lock_timeout"] = lockTimeout
	parameters["idle_in_transaction_session_timeout"] = idleTimeout
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("connect to the database: %w", err)
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, fmt.Errorf("connect to the database: %w", err)
	}
	s := &Store{pool: pool, acquireMax: o.AcquireMax, newID: o.NewID}
	if s.acquireMax == 0 {
		s.acquireMax = time.Second
	}
	return s, nil
}

// Close gives the connections back.
func (s *Store) Close() { s.pool.Close() }

// Ready tells whether the database answers.
func (s *Store) Ready(ctx context.Context) error {
	if err := s.pool.Ping(ctx); err != nil {
		return fmt.Errorf("database: %w", err)
	}
	return nil
}
