// Package store holds all SQL. One exported method is one database transaction,
// no type of the driver appears in a signature, and no method calls anything
// outside the database while a transaction is open.
package store

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/paysvc/paysvc/internal/payment"
)

// Options tune the connections. The zero value of a field means its default.
type Options struct {
	ConnectionsMax int // 32
	// BackgroundMax is how many more connections there are for work that
	// InBackground marks, which then takes none of the others; 0 for none of its own.
	BackgroundMax int
	AcquireMax    time.Duration // how long to wait for a connection: 1 s
	// Tracer sees every statement; tests count round trips with it.
	Tracer pgx.QueryTracer
	// NewID makes the ids of rows that no caller names.
	NewID func() payment.ID
	// LockMax is how long a statement waits for a lock: 2 s.
	LockMax time.Duration
	// GiftCardKey is what codes of gift cards are hashed with. Without one no card is
	// issued, and none is found by its code.
	GiftCardKey payment.GiftCardKey
	// GiftCardKeysOld are those that it replaces: cards are found under them too.
	GiftCardKeysOld []payment.GiftCardKey
	// Dial opens a connection; nil is the driver's own way. Simulations put
	// themselves between the service and the server with it.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Store keeps the books in PostgreSQL. It is safe for concurrent use.
type Store struct {
	pool       *pgxpool.Pool
	background *pgxpool.Pool // the same as pool where it has no connections of its own
	acquireMax time.Duration
	newID      func() payment.ID
	cardKeys   cardKeys
}

// The bounds that the server puts on our statements and transactions.
const (
	statementTimeout = "5s"
	lockTimeout      = "2s"
	idleTimeout      = "10s"
)

// inBackground marks the context of background work.
type inBackground struct{}

// InBackground returns a context whose statements run on the connections that are
// set aside for background work: nobody waits for that, so it must not make
// requests wait for a connection.
func InBackground(ctx context.Context) context.Context {
	return context.WithValue(ctx, inBackground{}, true)
}

// poolOf returns the connections that the work of ctx runs on.
func (s *Store) poolOf(ctx context.Context) *pgxpool.Pool {
	if marked, _ := ctx.Value(inBackground{}).(bool); marked {
		return s.background
	}
	return s.pool
}

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
	if o.LockMax > 0 {
		parameters["lock_timeout"] = strconv.FormatInt(o.LockMax.Milliseconds(), 10)
	}
	if o.Dial != nil {
		config.ConnConfig.DialFunc = o.Dial
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("connect to the database: %w", err)
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, fmt.Errorf("connect to the database: %w", err)
	}
	s := &Store{pool: pool, background: pool, acquireMax: o.AcquireMax, newID: o.NewID, cardKeys: cardKeysOf(o)}
	if o.BackgroundMax > 0 {
		config := config.Copy()
		config.MaxConns = int32(min(o.BackgroundMax, 1000))
		if s.background, err = pgxpool.NewWithConfig(ctx, config); err != nil {
			pool.Close()
			return nil, fmt.Errorf("connect to the database: %w", err)
		}
	}
	if s.acquireMax == 0 {
		s.acquireMax = time.Second
	}
	return s, nil
}

// Close gives the connections back.
func (s *Store) Close() {
	s.pool.Close()
	s.background.Close()
}

// Ready tells whether the database answers.
func (s *Store) Ready(ctx context.Context) error {
	if err := s.pool.Ping(ctx); err != nil {
		return fmt.Errorf("database: %w", err)
	}
	return nil
}
