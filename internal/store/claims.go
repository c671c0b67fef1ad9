package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/paysvc/paysvc/internal/payment"
)

// queueClaim takes an idempotency key. That it was taken before is a violation
// of the primary key, which ends the transaction before anything was done.
func queueClaim(batch *pgx.Batch, c *payment.Claim) {
	batch.Queue(`insert into idempotency_keys (store, operation, key, fingerprint, created_at)
		values ($1, $2, $3, $4, $5)`, c.Store, c.Operation, c.Key, c.Fingerprint, c.At)
}

// queueClaimOfNew is queueClaim and queueReply in one, for an order that is new:
// all of it is known when the key is taken.
func queueClaimOfNew(batch *pgx.Batch, c *payment.Claim, o *payment.Order, closing payment.Closing) {
	status, body := kept(closing.Reply)
	batch.Queue(`insert into idempotency_keys
			(store, operation, key, fingerprint, created_at, order_id, payment, finished, status, body, run)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		c.Store, c.Operation, c.Key, c.Fingerprint, c.At, [16]byte(o.ID), closing.Payment, closing.Reply != nil, status, body,
		closing.Run)
}

// queueReply ties a claim to its order and, once the request is done, keeps the
// answer, unless one is kept already. It is the last statement of its batch.
func queueReply(batch *pgx.Batch, o *payment.Order, closing payment.Closing) {
	c := closing.Claim
	status, body := kept(closing.Reply)
	batch.Queue(`update idempotency_keys set order_id = $4, payment = $5, finished = $6, status = $7, body = $8,
			run = $9
		where store = $1 and operation = $2 and key = $3 and status is null`,
		c.Store, c.Operation, c.Key, [16]byte(o.ID), closing.Payment, closing.Reply != nil, status, body, closing.Run)
}

// KeepReply keeps a final answer that was made from the books, for a request whose
// first answer never came. It tells whether it is the one that is kept: another may
// have been faster.
func (s *Store) KeepReply(ctx context.Context, c *payment.Claim, r payment.Reply) (bool, error) {
	n, err := s.put(ctx, `update idempotency_keys set finished = true, status = $4, body = $5
		where store = $1 and operation = $2 and key = $3 and status is null`,
		c.Store, c.Operation, c.Key, r.Status, r.Body)
	if err != nil {
		return false, fmt.Errorf("keep an answer: %w", err)
	}
	return n > 0, nil
}

// kept is what a claim keeps of an answer. One that is not final is not kept: a
// repeat asks what is known.
func kept(r *payment.Reply) (status *int, body []byte) {
	if r == nil || !r.Final {
		return nil, nil
	}
	return &r.Status, r.Body
}

// Claimed returns what became of an idempotency key, nil if it is free.
func (s *Store) Claimed(ctx context.Context, c *payment.Claim) (*payment.Claimed, error) {
	var found payment.Claimed
	var order *[16]byte
	var status *int
	var body []byte
	err := s.read(ctx, func(ctx context.Context, conn *pgxpool.Conn) error {
		return conn.QueryRow(ctx, `select fingerprint, order_id, payment, finished, status, body, created_at, run,
				exists (select from runs r where r.order_id = k.order_id and r.n = k.run and r.state = 'failed' and r.due_at is null)
			from idempotency_keys k where store = $1 and operation = $2 and key = $3`, c.Store, c.Operation, c.Key,
		).Scan(&found.Fingerprint, &order, &found.Payment, &found.Finished, &status, &body, &found.At, &found.Run, &found.Ended)
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if order != nil {
		found.Order = *order
	}
	if status != nil {
		found.Reply = &payment.Reply{Status: *status, Body: body, Final: true}
	}
	return &found, nil
}
