package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/paysvc/paysvc/internal/payment"
)

const keyColumns = `id, hash, store, kind, scopes, name, created_at, revoked_at`

// CreateKey keeps a new API key, and who made it in the audit. One that exists, by
// its id or its hash, is a key_exists conflict.
func (s *Store) CreateKey(ctx context.Context, k payment.APIKey, by payment.AuditEntry) error {
	scopes := make([]string, len(k.Scopes))
	for i, scope := range k.Scopes {
		scopes[i] = string(scope)
	}
	by.Store, by.Action, by.Subject, by.Detail = k.Store, "key.created", k.ID, string(k.Kind)+" "+strings.Join(scopes, " ")
	err := s.change(ctx, func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `insert into api_keys (hash, id, store, kind, scopes, name, created_at)
			values ($1, $2, $3, $4, $5, $6, $7)`, k.Hash, k.ID, k.Store, string(k.Kind), scopes, k.Name, k.CreatedAt)
		if err != nil {
			return err
		}
		return appendAudit(ctx, tx, by)
	})
	if violated(err) != "" {
		err = payment.Errorf(payment.KindConflict, "key_exists", "the key exists")
	}
	if err != nil {
		return fmt.Errorf("create key %s: %w", k.ID, err)
	}
	return nil
}

// KeyByHash finds the API key of a SHA-256 hash. One that was revoked does not
// exist any more.
func (s *Store) KeyByHash(ctx context.Context, hash []byte) (payment.APIKey, error) {
	found, err := collect(ctx, s, scanKey, `select `+keyColumns+` from api_keys where hash = $1 and revoked_at is null`, hash)
	if err == nil && len(found) == 0 {
		err = errNoKey
	}
	if err != nil {
		return payment.APIKey{}, fmt.Errorf("find key: %w", err)
	}
	return found[0], nil
}

var errNoKey = payment.NotFound("an API key")

// ListKeys returns the latest API keys of a store, revoked ones too, oldest first.
func (s *Store) ListKeys(ctx context.Context, store string) ([]payment.APIKey, error) {
	keys, err := collect(ctx, s, scanKey, `select `+keyColumns+` from api_keys where store = $1
		order by created_at desc, id desc limit $2`, store, batchMax)
	if err != nil {
		return nil, fmt.Errorf("list keys: %w", err)
	}
	slices.Reverse(keys)
	return keys, nil
}

// RevokeKey ends an API key of a store, and keeps who did so in the audit. The first
// time counts.
func (s *Store) RevokeKey(ctx context.Context, store, id string, by payment.AuditEntry) error {
	by.Store, by.Action, by.Subject = store, "key.revoked", id
	err := s.change(ctx, func(ctx context.Context, tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `update api_keys set revoked_at = coalesce(revoked_at, $3) where id = $1 and store = $2`, id, store, by.At)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return errNoKey
		}
		return appendAudit(ctx, tx, by)
	})
	if err != nil {
		return fmt.Errorf("revoke key %s: %w", id, err)
	}
	return nil
}

func scanKey(row pgx.CollectableRow) (payment.APIKey, error) {
	var k payment.APIKey
	var scopes []string
	var revoked *time.Time
	err := row.Scan(&k.ID, &k.Hash, &k.Store, &k.Kind, &scopes, &k.Name, &k.CreatedAt, &revoked)
	for _, scope := range scopes {
		k.Scopes = append(k.Scopes, payment.Scope(scope))
	}
	k.CreatedAt, k.RevokedAt = k.CreatedAt.UTC(), timeOf(revoked)
	return k, err
}
