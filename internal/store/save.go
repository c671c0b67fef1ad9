package store

import (
	"github.com/go-json-experiment/json"
	"github.com/jackc/pgx/v5"

	"github.com/paysvc/paysvc/internal/payment"
)

// queueOrder inserts an order that is new.
func queueOrder(batch *pgx.Batch, o *payment.Order) error {
	body, err := encodeDetails(&o.Details)
	if err != nil {
		return err
	}
	p := o.Saved
	batch.Queue(`insert into orders (id, store, number, content_hash, currency, total, customer_id, customer_email,
			client_token, return_token, created_at, expires_at, updated_at, status, payment_status, placed_at, paid_at,
			cancelled_at, cancel_reason, review, numbers, sequence, covered_n, expiry_due_at)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $12)`,
		[16]byte(o.ID), o.Store, o.Number, o.ContentHash, o.Currency.String(), o.Total.Minor(), o.Customer.ID,
		o.Customer.Email, o.ClientToken, o.ReturnToken, o.CreatedAt, nullTime(o.ExpiresAt), o.UpdatedAt,
		string(p.Status), string(o.PaymentStatus()), nullTime(p.PlacedAt), nullTime(p.PaidAt), nullTime(p.CancelledAt),
		p.CancelReason, string(o.Review), o.Numbers, o.Sequence, p.CoveredN)
	batch.Queue(`insert into order_details (order_id, body) values ($1, $2)`, [16]byte(o.ID), body)
	return nil
}

// queueChanges updates an order that was locked, and all that changed with it.
func queueChanges(batch *pgx.Batch, o *payment.Order, closing payment.Closing) error {
	p := o.Saved
	batch.Queue(`update orders set updated_at = $2, status = $3, payment_status = $4, placed_at = $5, paid_at = $6,
			cancelled_at = $7, cancel_reason = $8, new_notification = $9, review = $10, numbers = $11, sequence = $12,
			covered_n = $13
		where id = $1`,
		[16]byte(o.ID), o.UpdatedAt, string(p.Status), string(o.PaymentStatus()), nullTime(p.PlacedAt), nullTime(p.PaidAt),
		nullTime(p.CancelledAt), p.CancelReason, o.NewNotification, string(o.Review), o.Numbers, o.Sequence,
		p.CoveredN)
	if closing.DetailsChanged {
		if err := queueDetails(batch, o); err != nil {
			return err
		}
	}
	return queueChildren(batch, o, closing)
}

// queueDetails writes the frozen part anew, for an order that is not in play yet.
func queueDetails(batch *pgx.Batch, o *payment.Order) error {
	body, err := encodeDetails(&o.Details)
	if err != nil {
		return err
	}
	batch.Queue(`update order_details set body = $2 where order_id = $1`, [16]byte(o.ID), body)
	batch.Queue(`update orders set total = $2, content_hash = $3, customer_id = $4, customer_email = $5, expires_at = $6,
			expiry_due_at = $6
		where id = $1`, [16]byte(o.ID), o.Total.Minor(), o.ContentHash, o.Customer.ID, o.Customer.Email,
		nullTime(o.ExpiresAt))
	return nil
}

func queueChildren(batch *pgx.Batch, o *payment.Order, closing payment.Closing) error {
	for _, p := range o.Payments {
		if err := queuePayment(batch, o, p); err != nil {
			return err
		}
	}
	queueReservations(batch, o)
	for _, e := range o.Effects {
		queueEffect(batch, o, e)
	}
	for _, r := range closing.Runs {
		if err := queueRun(batch, o, r); err != nil {
			return err
		}
	}
	queueNotes(batch, o)
	queueAttributes(batch, o)
	if err := queueEvents(batch, o, o.PaymentStatus()); err != nil {
		return err
	}
	if err := queueCases(batch, o); err != nil {
		return err
	}
	if n := closing.Notification; n != nil && n.State != payment.NotificationApplied || n != nil && n.Tries > 0 {
		queueSettled(batch, o, n)
	}
	if closing.Claim != nil {
		queueReply(batch, o, closing)
	}
	return nil
}

func queuePayment(batch *pgx.Batch, o *payment.Order, p *payment.Payment) error {
	if p.Change() == payment.Unchanged {
		return queueTransactions(batch, o, p)
	}
	next, details, err := encodePayment(p)
	if err != nil {
		return err
	}
	s, release := p.Sums, payment.Release{DueAt: p.AbandonAt} // one column: a payment is never both
	if p.Release != nil {
		release = *p.Release
	}
	if p.Change() == payment.Added {
		batch.Queue(`insert into payments (order_id, n, method, kind, gateway, account, mode, amount, fee, status, authorized,
				captured, refunded, voided, next_action, details, created_at, tender, release_reason, release_refund,
				release_due_at, release_tries, capture_before, clock_due_at)
			values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24)`,
			[16]byte(o.ID), p.N, p.Method, p.Kind, p.Gateway, p.Account, string(p.Mode), p.Amount.Minor(), p.Fee.Minor(),
			string(p.Status), s.Authorized.Minor(), s.Captured.Minor(), s.Refunded.Minor(), s.Voided.Minor(), next,
			details, p.CreatedAt, p.Tender, string(release.Reason), release.Refund, nullTime(release.DueAt), release.Tries,
			nullTime(p.CaptureBefore), nullTime(p.ClockDueAt))
	} else {
		batch.Queue(`update payments set status = $3, authorized = $4, captured = $5, refunded = $6, voided = $7,
			next_action = $8, details = $9, release_reason = $10, release_refund = $11, release_due_at = $12,
			release_tries = $13, capture_before = $14, clock_due_at = $15 where order_id = $1 and n = $2`,
			[16]byte(o.ID), p.N, string(p.Status), s.Authorized.Minor(), s.Captured.Minor(), s.Refunded.Minor(),
			s.Voided.Minor(), next, details, string(release.Reason), release.Refund, nullTime(release.DueAt), release.Tries,
			nullTime(p.CaptureBefore), nullTime(p.ClockDueAt))
	}
	return queueTransactions(batch, o, p)
}

// encodePayment returns the parts of a payment that are kept as JSON, nil for
// what it does not have.
func encodePayment(p *payment.Payment) (next, details []byte, err error) {
	if p.NextAction != nil {
		if next, err = json.Marshal(p.NextAction); err != nil {
			return nil, nil, err
		}
	}
	if len(p.Details) > 0 {
		if details, err = json.Marshal(p.Details, json.Deterministic(true)); err != nil {
			return nil, nil, err
		}
	}
	return next, details, nil
}

func queueTransactions(batch *pgx.Batch, o *payment.Order, p *payment.Payment) error {
	for _, t := range p.Transactions {
		switch t.Change() {
		case payment.Added:
			batch.Queue(`insert into transactions (order_id, n, payment, type, state, amount, reference, gateway_reference,
					parent, held, reason_code, reason_message, reason_decline, created_at, settled_at, due_at, inquiries, store,
					run, store_reference, purpose, rest)
				values ($1, $2, $3, $4, $5, $6, nullif($7, ''), $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)`,
				[16]byte(o.ID), t.N, p.N, string(t.Type), string(t.State), t.Amount.Minor(), t.Reference, t.GatewayReference,
				t.Parent, t.Held, t.Reason.Code, t.Reason.Message, t.Reason.Decline, t.CreatedAt, nullTime(t.SettledAt),
				nullTime(t.DueAt), t.Inquiries, o.Store, t.Run, t.StoreReference, t.Purpose, string(t.Rest))
		case payment.Changed:
			batch.Queue(`update transactions set state = $3, gateway_reference = $4, held = $5, reason_code = $6,
					reason_message = $7, reason_decline = $8, settled_at = $9, due_at = $10, inquiries = $11, type = $12,
					amount = $13
				where order_id = $1 and n = $2`,
				[16]byte(o.ID), t.N, string(t.State), t.GatewayReference, t.Held, t.Reason.Code, t.Reason.Message,
				t.Reason.Decline, nullTime(t.SettledAt), nullTime(t.DueAt), t.Inquiries, string(t.Type), t.Amount.Minor())
		case payment.Unchanged:
		}
	}
	return nil
}

func queueEffect(batch *pgx.Batch, o *payment.Order, e *payment.Effect) {
	if e.Change() == payment.Unchanged {
		return
	}
	batch.Queue(`insert into effects (order_id, key, kind, subject, state, tries, note, due_at)
		values ($1, $2, $3, $4, $5, $6, $7, $8)
		on conflict (order_id, key) do update set state = excluded.state, tries = excluded.tries, note = excluded.note,
			due_at = excluded.due_at`,
		[16]byte(o.ID), e.Key, string(e.Kind), e.Subject, string(e.State), e.Tries, e.Note, nullTime(e.DueAt))
}
