package store

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/paysvc/paysvc/internal/payment"
)

// deliveryColumns are those of a delivery d with its event e.
const deliveryColumns = eventColumns + `, d.endpoint, d.state, d.tries, d.status, d.error, d.next_at, d.created_at, d.ended_at`

func scanDelivery(row pgx.CollectableRow) (payment.Delivery, error) {
	var d payment.Delivery
	var id [16]byte
	var next, ended *time.Time
	event, err := scanEvent(ahead{row, []any{&id, &d.State, &d.Tries, &d.Status, &d.Error, &next, &d.CreatedAt, &ended}})
	d.Event, d.Endpoint, d.NextAt, d.EndedAt, d.CreatedAt = event, id, timeOf(next), timeOf(ended), d.CreatedAt.UTC()
	return d, err
}

// ListDeliveries returns a page of the deliveries to an endpoint of a state, or
// of any for "", newest event first, and the cursor of the next page.
func (s *Store) ListDeliveries(
	ctx context.Context, t payment.Target, state payment.DeliveryState, page payment.Page,
) ([]payment.Delivery, string, error) {
	w := &where{}
	w.add("d.store = ?", t.Store)
	w.add("d.endpoint = ?", [16]byte(t.Endpoint))
	w.equal("d.state = ?", string(state))
	if page.After != "" {
		sequence, err := strconv.ParseInt(page.After, 10, 64)
		if err != nil {
			return nil, "", errCursor
		}
		w.add("d.sequence < ?", sequence)
	}
	limit := pageLimit(page)
	found, err := collect(ctx, s, scanDelivery, fmt.Sprintf(`select `+deliveryColumns+`
		from webhook_deliveries d join events e on e.order_id = d.order_id and e.n = d.n
		where %s order by d.sequence desc limit %d`, w, limit+1), append([]any{planned}, w.args...)...)
	if err != nil {
		return nil, "", fmt.Errorf("list deliveries to %s of %s: %w", t.Endpoint, t.Store, err)
	}
	list, next := paged(found, limit, func(d payment.Delivery) string { return strconv.FormatInt(d.Event.Sequence, 10) })
	return list, next, nil
}

// Redeliver begins the deliveries of an event anew: to one endpoint, or, for
// zero, to all that are active and want its type. An event that the store does
// not have is not found; one that nobody gets is a nothing_to_redeliver conflict.
func (s *Store) Redeliver(
	ctx context.Context, store string, id payment.EventID, to payment.EndpointID, by payment.AuditEntry,
) ([]payment.Delivery, error) {
	var again []payment.Delivery
	err := s.change(ctx, func(ctx context.Context, tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, `with b as materialized (
				select sequence, order_id, n, type, body from events where store = $1 and order_id = $2 and n = $3),
			d as (
				insert into webhook_deliveries as k (order_id, n, store, endpoint, sequence, effect, state, next_at, created_at)
				select b.order_id, b.n, $1, w.id, b.sequence,
					case when w.id = $5 then coalesce(b.body->'data'->>'effect', '') else '' end, 'pending', $6, $6
				from b join webhook_endpoints w on w.store = $1 and w.active and (w.id = $4 and $4 <> $5 or $4 = $5 and `+wanted("w.types")+`)
				on conflict (order_id, n, endpoint) do update set state = 'pending', tries = 0, status = 0, error = '',
					next_at = excluded.next_at, created_at = excluded.created_at, ended_at = null
				returning endpoint, order_id, n, state, tries, status, error, next_at, created_at, ended_at)
			select `+deliveryColumns+` from b e left join d on true order by d.endpoint`,
			store, [16]byte(id.Order), id.N, [16]byte(to), [16]byte(payment.Storefront), by.At)
		found, err := pgx.CollectRows(rows, scanAgain)
		switch {
		case err != nil:
			return err
		case len(found) == 0:
			return payment.NotFound("an event of this id")
		case len(found) == 1 && found[0] == nil:
			return payment.Errorf(payment.KindConflict, "nothing_to_redeliver", "no active endpoint gets this event")
		}
		again = nil
		for _, d := range found {
			again = append(again, *d)
		}
		by.Store, by.Action, by.Subject, by.Order = store, "event.redelivered", id.String(), again[0].Event.Order
		return appendAudit(ctx, tx, by)
	})
	if err != nil {
		return nil, fmt.Errorf("redeliver %s: %w", id, err)
	}
	return again, nil
}

// deliveryEndpoint is the place of the first column of a delivery.
const deliveryEndpoint = 4

// scanAgain reads a delivery, nil for an event that goes nowhere.
func scanAgain(row pgx.CollectableRow) (*payment.Delivery, error) {
	if row.RawValues()[deliveryEndpoint] == nil {
		return nil, nil
	}
	d, err := scanDelivery(row)
	return &d, err
}
