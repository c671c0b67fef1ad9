package store

import (
	"time"

	"github.com/go-json-experiment/json"
	"github.com/jackc/pgx/v5"

	"github.com/paysvc/paysvc/internal/payment"
)

func queueRun(batch *pgx.Batch, o *payment.Order, r *payment.RunRecord) error {
	steps, err := encodeSteps(r.Steps)
	if err != nil {
		return err
	}
	cause, err := encodeCause(r)
	if err != nil {
		return err
	}
	if r.New {
		batch.Queue(`insert into runs (order_id, n, pipeline, hash, state, payment, steps, error, tries, token, begun_at,
				ended_at, due_at, cause)
			values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
			[16]byte(o.ID), r.N, r.Pipeline, r.Hash, string(r.State), r.Payment, steps, r.Error, r.Tries, [16]byte(r.Token),
			r.BegunAt, nullTime(r.EndedAt), nullTime(r.DueAt), cause)
		return nil
	}
	batch.Queue(`update runs set state = $3, steps = $4, error = $5, tries = $6, token = $7, ended_at = $8, due_at = $9,
			cause = $10
		where order_id = $1 and n = $2`,
		[16]byte(o.ID), r.N, string(r.State), steps, r.Error, r.Tries, [16]byte(r.Token), nullTime(r.EndedAt),
		nullTime(r.DueAt), cause)
	return nil
}

// queueNotes inserts all notes with one statement.
func queueNotes(batch *pgx.Batch, o *payment.Order) {
	notes := o.Staged.Notes
	if len(notes) == 0 {
		return
	}
	numbers, authors, texts := make([]int, len(notes)), make([]string, len(notes)), make([]string, len(notes))
	shown, at := make([]bool, len(notes)), make([]time.Time, len(notes))
	for i, n := range notes {
		numbers[i], authors[i], texts[i], shown[i], at[i] = n.N, n.Author, n.Text, n.DisplayToCustomer, n.At
	}
	batch.Queue(`insert into notes (order_id, n, author, text, display_to_customer, at)
		select $1, * from unnest($2::int[], $3::text[], $4::text[], $5::bool[], $6::timestamptz[])`,
		[16]byte(o.ID), numbers, authors, texts, shown, at)
}

// queueEvents inserts all events with one statement. Their sequence begins with
// the id of this transaction; see the schema.
func queueEvents(batch *pgx.Batch, o *payment.Order, status payment.Status) error {
	events := o.Staged.Events
	if len(events) == 0 {
		return nil
	}
	numbers, types, bodies := make([]int, len(events)), make([]string, len(events)), make([]string, len(events))
	actors, sources := make([]string, len(events)), make([]string, len(events))
	at := make([]time.Time, len(events))
	for i, e := range events {
		body, err := encodeEvent(o, status, e)
		if err != nil {
			return err
		}
		numbers[i], types[i], bodies[i], at[i] = e.N, e.Type, string(body), e.At
		actors[i], sources[i] = e.Actor, e.Source
	}
	batch.Queue(`insert into events (order_id, n, store, sequence, type, body, at, actor, source)
		select $1, n, $2, (pg_current_xact_id()::text::bigint << 12) + ordinality, type, body::json, at, actor, source
		from unnest($3::int[], $4::text[], $5::text[], $6::timestamptz[], $7::text[], $8::text[])
			with ordinality as e (n, type, body, at, actor, source, ordinality)`,
		[16]byte(o.ID), o.Store, numbers, types, bodies, at, actors, sources)
	return nil
}

// queueNotification puts a notification in the inbox. Whether it fits an order
// is looked up by the same statement, so that one that does is written once.
func queueNotification(batch *pgx.Batch, n *payment.Notification) error {
	headers, err := json.Marshal(n.Raw.Headers, json.Deterministic(true))
	if err != nil {
		return err
	}
	facts, err := encodeFacts(n.Facts)
	if err != nil {
		return err
	}
	batch.Queue(`insert into notifications (id, store, gateway, account, event_id, type, reference, order_id, state,
			headers, body, facts, received_at, due_at, sender)
		select $5, $4, $2, $3, $6, $7, $1, found.id, case when found.id is null then 'parked' else 'applied' end,
			$8, $9, $10, $11, case when found.id is null then $12::timestamptz end, $13
		from (select (select o.id from orders o where o.id = `+byReference+` and o.store = $4)) as found (id)`,
		n.Reference, n.Gateway, n.Account, n.Store, [16]byte(n.ID), n.EventID, n.Type, headers, n.Raw.Body, facts,
		n.ReceivedAt, n.ReceivedAt.Add(parkedRetry), addressText(n.From))
	return nil
}

// queueSettled writes what became of a notification that was not simply applied.
func queueSettled(batch *pgx.Batch, o *payment.Order, n *payment.Notification) {
	batch.Queue(`update notifications set order_id = $2, state = $3, error = $4, due_at = $5, tries = $6
		where store = $7 and id = $1`,
		[16]byte(n.ID), [16]byte(o.ID), string(n.State), n.Error, nullTime(n.DueAt), n.Tries, n.Store)
}
