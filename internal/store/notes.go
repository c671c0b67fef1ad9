package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/jackc/pgx/v5"

	"github.com/paysvc/paysvc/internal/payment"
)

// notesMax bounds the numbers that notes of callers may use up: an order gives
// out about a million, and its money needs some for ever.
const notesMax = 500_000

// AddNote adds a line to the timeline of a store's order and returns it with its
// number, which it takes under the lock of the order, and keeps who did so in the
// audit. It is not repeated when the answer to COMMIT is lost: a note twice is worse
// than an error.
func (s *Store) AddNote(
	ctx context.Context, store string, id payment.OrderID, note payment.Note, by payment.AuditEntry,
) (payment.Note, error) {
	err := s.change(ctx, func(ctx context.Context, tx pgx.Tx) error {
		n, err := takeNumber(ctx, tx, store, id)
		if err != nil {
			return err
		}
		if n > notesMax {
			return payment.Errorf(payment.KindConflict, "order_full", "the order takes no more notes")
		}
		note.N = n
		if err := insertNote(ctx, tx, id, note); err != nil {
			return err
		}
		by.Store, by.Action, by.Subject, by.Order = store, "note.added", payment.NoteID{Order: id, N: n}.String(), id
		return appendAudit(ctx, tx, by)
	})
	if err != nil {
		return payment.Note{}, fmt.Errorf("note of order %s: %w", id, err)
	}
	return note, nil
}

// ListNotes returns a page of the notes of a store's order, newest first, and
// the cursor of the next page, "" for none.
func (s *Store) ListNotes(
	ctx context.Context, store string, id payment.OrderID, page payment.Page,
) ([]payment.Note, string, error) {
	before := childEnd
	if page.After != "" {
		var err error
		if before, err = strconv.Atoi(page.After); err != nil || before < 0 || before > childEnd {
			return nil, "", errCursor
		}
	}
	limit := pageLimit(page)
	found, err := collect(ctx, s, scanNote, `select n, author, text, display_to_customer, at from notes
		where order_id = $1 and n < $3 and exists (select from orders where id = $1 and store = $2)
		order by n desc limit $4`, [16]byte(id), store, before, limit+1)
	if err == nil && len(found) == 0 {
		err = s.exists(ctx, store, id)
	}
	if err != nil {
		return nil, "", fmt.Errorf("notes of order %s: %w", id, err)
	}
	notes, next := paged(found, limit, func(n payment.Note) string { return strconv.Itoa(n.N) })
	return notes, next, nil
}

// childEnd is above every number that an order gives out.
const childEnd = 1 << 20

// takeNumber locks the order and takes the number of a new child of it.
func takeNumber(ctx context.Context, tx pgx.Tx, store string, id payment.OrderID) (n int, err error) {
	err = tx.QueryRow(ctx, "update orders set numbers = numbers + 1 where id = $1 and store = $2 returning numbers",
		[16]byte(id), store).Scan(&n)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, payment.ErrOrderNotFound
	}
	return n, err
}

func insertNote(ctx context.Context, tx pgx.Tx, id payment.OrderID, n payment.Note) error {
	_, err := tx.Exec(ctx, `insert into notes (order_id, n, author, text, display_to_customer, at)
		values ($1, $2, $3, $4, $5, $6)`, [16]byte(id), n.N, n.Author, n.Text, n.DisplayToCustomer, n.At)
	return err
}

func scanNote(row pgx.CollectableRow) (payment.Note, error) {
	var n payment.Note
	err := row.Scan(&n.N, &n.Author, &n.Text, &n.DisplayToCustomer, &n.At)
	n.At = n.At.UTC()
	return n, err
}

// exists tells an order that has none of what was asked for from one that does
// not exist, or belongs to another store.
func (s *Store) exists(ctx context.Context, store string, id payment.OrderID) error {
	found, err := collect(ctx, s, pgx.RowTo[bool], "select true from orders where id = $1 and store = $2",
		[16]byte(id), store)
	if err == nil && len(found) == 0 {
		return payment.ErrOrderNotFound
	}
	return err
}
