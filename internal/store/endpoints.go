package store

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/paysvc/paysvc/internal/payment"
)

const endpointColumns = `id, store, url, types, active, disabled_reason, failures, failing_since, secret_version,
	rotating_until, created_at, updated_at, case when active then coalesce(
		(select n.at from events n where n.store = webhook_endpoints.store and n.sequence > since and n.sequence <= coalesce(until, ` + forever + `)
			order by n.sequence limit 1),
		(select n.at from events n where n.store = webhook_endpoints.store and n.sequence > resume order by n.sequence limit 1)) end`

// present is the highest sequence that an event of a transaction that has begun
// may have.
const present = `(pg_current_xact_id()::text::bigint << 12 | 4095)`

var errNoEndpoint = payment.NotFound("a webhook endpoint of this id")

// CreateEndpoint keeps a new endpoint, and who made it in the audit: events from now
// on are delivered to it. A store that has as many as it can is an endpoints_full
// conflict. One that is there already, by its id, is the same.
func (s *Store) CreateEndpoint(ctx context.Context, e payment.Endpoint, by payment.AuditEntry) error {
	err := s.repeatable(ctx, func(ctx context.Context, tx pgx.Tx) error {
		n, made, err := lockEndpoints(ctx, tx, e)
		if err != nil || made {
			return found(err)
		}
		if n >= payment.EndpointsMax {
			return payment.Errorf(payment.KindConflict, "endpoints_full", "the store has as many webhook endpoints as it can")
		}
		_, err = tx.Exec(ctx, `insert into webhook_endpoints (store, id, url, types, since, created_at, updated_at)
			values ($1, $2, $3, $4, `+present+`, $5, $5)`, e.Store, [16]byte(e.ID), e.URL, texts(e.Types), e.CreatedAt)
		if err != nil {
			return err
		}
		return appendAudit(ctx, tx, endpointAudit(by, "created", e.Store, e.ID))
	})
	if err != nil {
		return fmt.Errorf("create endpoint %s: %w", e.ID, err)
	}
	return nil
}

// lockEndpoints counts the endpoints of a store, and tells whether this one is made.
// Whoever makes another waits until this transaction has ended.
func lockEndpoints(ctx context.Context, tx pgx.Tx, e payment.Endpoint) (n int, made bool, err error) {
	if _, err := tx.Exec(ctx, `select pg_advisory_xact_lock(hashtextextended('webhook endpoints of ' || $1, 0))`, e.Store); err != nil {
		return 0, false, err
	}
	// A statement of its own: one that waited for the lock would not see what its
	// holder wrote.
	err = tx.QueryRow(ctx, `select count(*), coalesce(bool_or(id = $3), false) from webhook_endpoints where store = $1 and id <> $2`,
		e.Store, [16]byte(payment.Storefront), [16]byte(e.ID)).Scan(&n, &made)
	return n, made, err
}

// ListEndpoints returns the endpoints of a store, the oldest first.
func (s *Store) ListEndpoints(ctx context.Context, store string) ([]payment.Endpoint, error) {
	list, err := collect(ctx, s, scanEndpoint, `select `+endpointColumns+` from webhook_endpoints
		where store = $1 and id <> $2 order by id limit $3`, store, [16]byte(payment.Storefront), payment.EndpointsMax)
	if err != nil {
		return nil, fmt.Errorf("list endpoints: %w", err)
	}
	return list, nil
}

// Endpoint reads an endpoint of a store.
func (s *Store) Endpoint(ctx context.Context, store string, id payment.EndpointID) (payment.Endpoint, error) {
	found, err := collect(ctx, s, scanEndpoint, `select `+endpointColumns+` from webhook_endpoints
		where store = $1 and id = $2`, store, [16]byte(id))
	return oneEndpoint("read", id, found, err)
}

// ChangeEndpoint changes what is set, and keeps who did so in the audit. One that
// becomes active again is forgiven, and gets the events from then on.
func (s *Store) ChangeEndpoint(
	ctx context.Context, store string, id payment.EndpointID, c payment.EndpointChange, by payment.AuditEntry,
) (payment.Endpoint, error) {
	var types []string
	if c.Types != nil {
		types = texts(*c.Types)
	}
	var found []payment.Endpoint
	err := s.change(ctx, func(ctx context.Context, tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, `update webhook_endpoints set url = coalesce($3, url), types = coalesce($4, types),
				active = coalesce($5, active),
				disabled_reason = case when $5 then '' when active and not $5 then 'by_request' else disabled_reason end,
				since = case when $5 and not active and until is null then `+present+` else since end,
				until = case when active and not $5 then `+present+` else until end,
				resume = case when $5 and not active then `+present+` else resume end,
				failures = case when $5 or $3 <> url then 0 else failures end,
				failing_since = case when $5 or $3 <> url then null else failing_since end,
				resting_until = case when $5 or $3 <> url then null else resting_until end, updated_at = $6
			where store = $1 and id = $2 returning `+endpointColumns, store, [16]byte(id), c.URL, types, c.Active, by.At)
		var err error
		if found, err = pgx.CollectRows(rows, scanEndpoint); err != nil || len(found) == 0 {
			return err
		}
		entry := endpointAudit(by, "changed", store, id)
		entry.Detail = changedFields(c)
		return appendAudit(ctx, tx, entry)
	})
	return oneEndpoint("change", id, found, err)
}

// RotateSecret begins the next version of an endpoint's secret, and keeps who did so
// in the audit; the one before signs too until a time, and any that is older no more.
func (s *Store) RotateSecret(
	ctx context.Context, store string, id payment.EndpointID, until time.Time, by payment.AuditEntry,
) (payment.Endpoint, error) {
	var found []payment.Endpoint
	err := s.change(ctx, func(ctx context.Context, tx pgx.Tx) (err error) {
		rows, _ := tx.Query(ctx, `update webhook_endpoints set secret_version = secret_version + 1, rotating_until = $3,
			updated_at = $4 where store = $1 and id = $2 returning `+endpointColumns, store, [16]byte(id), until, by.At)
		if found, err = pgx.CollectRows(rows, scanEndpoint); err != nil || len(found) == 0 {
			return err
		}
		return appendAudit(ctx, tx, endpointAudit(by, "secret_rotated", store, id))
	})
	return oneEndpoint("rotate the secret of", id, found, err)
}

// DeleteEndpoint deletes an endpoint, and keeps who did so in the audit. What was on
// its way to it is not sent any more, and forgotten in time.
func (s *Store) DeleteEndpoint(ctx context.Context, store string, id payment.EndpointID, by payment.AuditEntry) error {
	err := s.change(ctx, func(ctx context.Context, tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `delete from webhook_endpoints where store = $1 and id = $2`, store, [16]byte(id))
		if err == nil && tag.RowsAffected() == 0 {
			err = errNoEndpoint
		}
		if err != nil {
			return err
		}
		return appendAudit(ctx, tx, endpointAudit(by, "deleted", store, id))
	})
	if err != nil {
		return fmt.Errorf("delete endpoint %s: %w", id, err)
	}
	return nil
}

// endpointAudit is the entry of what somebody did with an endpoint. Its URL is left
// out: it may hold a token.
func endpointAudit(by payment.AuditEntry, what, store string, id payment.EndpointID) payment.AuditEntry {
	by.Store, by.Action, by.Subject = store, "webhook_endpoint."+what, id.String()
	return by
}

// changedFields names what a change sets.
func changedFields(c payment.EndpointChange) string {
	var fields []string
	if c.URL != nil {
		fields = append(fields, "url")
	}
	if c.Types != nil {
		fields = append(fields, "types")
	}
	if c.Active != nil {
		fields = append(fields, "active="+strconv.FormatBool(*c.Active))
	}
	return strings.Join(fields, " ")
}

// SetStorefront says which types of events are commands for the store's own
// system; none ends that, and what was on its way is parked.
func (s *Store) SetStorefront(ctx context.Context, store string, types []string, at time.Time) error {
	if len(types) == 0 {
		_, err := s.put(ctx, `with ended as (
				update webhook_endpoints set active = false, types = '{}', updated_at = $3
				where store = $1 and id = $2 and active returning store, id)
			update webhook_deliveries d set state = 'parked', next_at = null, ended_at = $3, error = 'not_configured' from ended
			where d.store = ended.store and d.endpoint = ended.id and d.next_at is not null`,
			store, [16]byte(payment.Storefront), at)
		if err != nil {
			return fmt.Errorf("storefront of %s: %w", store, err)
		}
		return nil
	}
	_, err := s.put(ctx, `insert into webhook_endpoints as e (store, id, url, types, since, created_at, updated_at)
		values ($1, $2, '', $3, `+present+`, $4, $4)
		on conflict (store, id) do update set types = excluded.types, active = true, updated_at = excluded.updated_at,
			since = case when e.active then e.since else excluded.since end,
			failures = 0, failing_since = null, resting_until = null
		where not e.active or e.types <> excluded.types`, store, [16]byte(payment.Storefront), types, at)
	if err != nil {
		return fmt.Errorf("storefront of %s: %w", store, err)
	}
	return nil
}

func oneEndpoint(what string, id payment.EndpointID, found []payment.Endpoint, err error) (payment.Endpoint, error) {
	if err == nil && len(found) == 0 {
		err = errNoEndpoint
	}
	if err != nil {
		return payment.Endpoint{}, fmt.Errorf("%s endpoint %s: %w", what, id, err)
	}
	return found[0], nil
}

func scanEndpoint(row pgx.CollectableRow) (payment.Endpoint, error) {
	var e payment.Endpoint
	var id [16]byte
	var failing, rotating, behind *time.Time
	err := row.Scan(&id, &e.Store, &e.URL, &e.Types, &e.Active, &e.Disabled, &e.Failures, &failing, &e.SecretVersion,
		&rotating, &e.CreatedAt, &e.UpdatedAt, &behind)
	e.ID, e.FailingSince, e.RotatingUntil, e.BehindSince = id, timeOf(failing), timeOf(rotating), timeOf(behind)
	e.CreatedAt, e.UpdatedAt = e.CreatedAt.UTC(), e.UpdatedAt.UTC()
	return e, err
}

// texts is a list for a column that is never null.
func texts(list []string) []string { return append([]string{}, list...) }
