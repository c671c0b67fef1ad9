package store

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/paysvc/paysvc/internal/payment"
)

// VerifyAudit walks the audit of a store from its first entry to its head, and
// compares it with the events that it took over. noted is a head from before that
// must be in it, the zero value for none. It reads page by page, each in a
// transaction of its own, so that nobody is held up and the audit may grow meanwhile.
func (s *Store) VerifyAudit(ctx context.Context, store string, noted payment.AuditHead) (payment.AuditReport, error) {
	check := payment.NewAuditCheck(store, noted)
	taken, err := s.AuditHead(ctx, store) // what is at or below its sequence is in the audit by now
	if err == nil {
		err = s.walkAudit(ctx, check)
	}
	if err == nil {
		err = s.walkEvents(ctx, check, taken.Sequence)
	}
	if err == nil {
		err = s.auditLag(ctx, check)
	}
	if err != nil {
		return payment.AuditReport{}, fmt.Errorf("verify the audit of %q: %w", store, err)
	}
	return check.AuditReport, nil
}

// walkAudit checks the entries, and that each event is what its entry says.
func (s *Store) walkAudit(ctx context.Context, check *payment.AuditCheck) error {
	after := int64(math.MinInt64)
	for {
		page, err := s.ListAudit(ctx, check.Store, payment.OrderID{}, after, batchMax)
		if err != nil {
			return err
		}
		if len(page) == 0 {
			head, err := s.AuditHead(ctx, check.Store)
			if err != nil {
				return err
			}
			// The audit may have grown since the page was read, and that page is
			// there now.
			more, err := s.ListAudit(ctx, check.Store, payment.OrderID{}, after, 1)
			if err != nil {
				return err
			}
			if len(more) == 0 || more[0].Position > head.Position {
				check.End(head)
				return nil
			}
			continue
		}
		for i := range page {
			check.Add(&page[i])
		}
		last := page[len(page)-1].Position
		changed, err := s.changedEvents(ctx, check.Store, after, last)
		if err != nil {
			return err
		}
		check.Unfit = append(check.Unfit, changed...)
		after = last
	}
}

// changedEvents are those of some entries that were changed or taken out since.
func (s *Store) changedEvents(ctx context.Context, store string, after, upTo int64) ([]payment.UnfitEvent, error) {
	return collect(ctx, s, func(row pgx.CollectableRow) (payment.UnfitEvent, error) {
		u := payment.UnfitEvent{What: "was changed"}
		var order *[16]byte
		var gone bool
		err := row.Scan(&order, &u.Event.N, &u.Sequence, &u.Position, &gone)
		if order != nil {
			u.Event.Order = *order
		}
		if gone {
			u.What = "is gone"
		}
		return u, err
	}, `select a.order_id, coalesce(a.event, 0), coalesce(a.sequence, 0), a.position, e.sequence is null from audit a
		left join events e on e.store = a.store and e.sequence = a.sequence and e.order_id = a.order_id and e.n = a.event
		where a.store = $1 and a.position > $2 and a.position <= $3 and (a.sequence is not null or a.digest is not null)
			and (e.sequence is null or `+eventDigest+` is distinct from a.digest)
		order by a.position`, store, after, upTo)
}

// walkEvents looks for events that were put in where the audit had been already.
func (s *Store) walkEvents(ctx context.Context, check *payment.AuditCheck, upTo int64) error {
	last := payment.UnfitEvent{Sequence: math.MinInt64}
	for {
		type event struct {
			payment.UnfitEvent
			known bool
		}
		page, err := collect(ctx, s, func(row pgx.CollectableRow) (event, error) {
			e := event{UnfitEvent: payment.UnfitEvent{What: "was put in later"}}
			var order [16]byte
			err := row.Scan(&e.Sequence, &order, &e.Event.N, &e.known)
			e.Event.Order = order
			return e, err
		}, `select e.sequence, e.order_id, e.n, not `+auditedTypes+` or exists (select from audit a
				where a.store = e.store and a.sequence = e.sequence and a.order_id = e.order_id and a.event = e.n)
			from events e where e.store = $1 and e.sequence >= $2 and (e.sequence, e.order_id, e.n) > ($2, $3, $4) and e.sequence <= $5
			order by e.sequence, e.order_id, e.n limit $6`,
			check.Store, last.Sequence, [16]byte(last.Event.Order), last.Event.N, upTo, batchMax)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, e := range page {
			if !e.known {
				check.Unfit = append(check.Unfit, e.UnfitEvent)
			}
		}
		last = page[len(page)-1].UnfitEvent
	}
}

// lagMax bounds how many events that wait are counted.
const lagMax = 100_000

// auditLag counts the events that wait to be taken over, behind the one that the head
// names.
func (s *Store) auditLag(ctx context.Context, check *payment.AuditCheck) error {
	_, err := collect(ctx, s, func(row pgx.CollectableRow) (struct{}, error) {
		var since *time.Time
		var known bool
		err := row.Scan(&known, &check.Behind, &since)
		check.Since = timeOf(since)
		if !known && check.Head.Sequence != 0 {
			check.HeadWithoutEvent()
		}
		return struct{}{}, err
	}, `select exists (select from events e where e.store = $1 and e.sequence = $2), count(*), min(at) from (select e.at from events e where e.store = $1 and e.sequence > $2
		and `+auditedTypes+` order by e.sequence limit $3) as behind`, check.Store, check.Head.Sequence, lagMax)
	return err
}
