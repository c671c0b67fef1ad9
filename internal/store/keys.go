package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/paysvc/paysvc/internal/payment"
)

const keyColumns = `id, hash, store, kind, scopes, name, created_at, revoked_at`

// CreateKey keeps a key; one that is kept already is a conflict.
func (s *Store) CreateKey(ctx context.Context, k payment.APIKey) error {
	scopes := make([]string, len(k.Scopes))
	for i, scope := range k.Scopes {
		scopes[i] = string(scope)
	}
	written, err := s.put(ctx, `insert into api_keys (hash, id, store, kind, scopes, name, created_at)
		values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing`,
		k.Hash, k.ID, k.Store, string(k.Kind), scopes, k.Name, k.CreatedAt)
	if err != nil {
		return fmt.Errorf("create key: %w", err)
	}
	if written == 0 {
		return payment.Errorf(payment.KindConflict, "key_exists", "the key exists")
	}
	return nil
}

// KeyByHash finds a key, revoked or not.
func (s *Store) KeyByHash(ctx context.Context, hash []byte) (*payment.APIKey, error) {
	var key *payment.APIKey
	err := s.read(ctx, func(ctx context.Context, conn *pgxpool.Conn) error {
		rows, _ := conn.Query(ctx, `select `+keyColumns+` from api_keys where hash = $1`, hash)
		var err error
		key, err = pgx.CollectExactlyOneRow(rows, scanKey)
		return err
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, payment.NotFound("the key")
	}
	return key, err
}

// ListKeys returns the keys of a store, oldest first.
func (s *Store) ListKeys(ctx context.Context, store string) ([]*payment.APIKey, error) {
	return collect(ctx, s, scanKey,
		`select `+keyColumns+` from api_keys where store = $1 order by created_at, id limit $2`, store, batchMax)
}

// RevokeKey ends a key of a store. Revoking it again changes nothing.
func (s *Store) RevokeKey(ctx context.Context, store, id string, at time.Time) error {
	written, err := s.put(ctx, `update api_keys set revoked_at = coalesce(revoked_at, $3) where store = $1 and id = $2`,
		store, id, at)
	if err != nil {
		return fmt.Errorf("revoke key: %w", err)
	}
	if written == 0 {
		return payment.NotFound("the key")
	}
	return nil
}

func scanKey(row pgx.CollectableRow) (*payment.APIKey, error) {
	k := &payment.APIKey{}
	var scopes []string
	var revoked *time.Time
	if err := row.Scan(&k.ID, &k.Hash, &k.Store, &k.Kind, &scopes, &k.Name, &k.CreatedAt, &revoked); err != nil {
		return nil, err
	}
	for _, scope := range scopes {
		k.Scopes = append(k.Scopes, payment.Scope(scope))
	}
	k.CreatedAt, k.RevokedAt = k.CreatedAt.UTC(), timeOf(revoked)
	return k, nil
}
