package store

import (
	"context"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/paysvc/paysvc/internal/payment"
)

// ListEvents reads the events of a store in the order of their sequence, those
// behind after, of one type or, for "", of all. Events of transactions that may
// still commit in front of others are held back, so a reader who goes on behind
// the last one never misses any; a transaction that runs long anywhere on the
// server delays them for as long.
func (s *Store) ListEvents(
	ctx context.Context, store string, after int64, eventType string, limit int,
) ([]payment.Event, error) {
	var events []payment.Event
	err := s.read(ctx, func(ctx context.Context, conn *pgxpool.Conn) error {
		rows, _ := conn.Query(ctx, `select `+eventColumns+` from events e
			where store = $1 and sequence > $2 and ($3 = '' or type = $3) and `+settledEvents+`
			order by sequence limit $4`, store, after, eventType, bounded(limit))
		var err error
		events, err = pgx.CollectRows(rows, scanEvent)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list events: %w", err)
	}
	return events, nil
}

// eventColumns are those of an event e.
const eventColumns = `e.sequence, e.order_id, e.n, e.body`

func scanEvent(row pgx.CollectableRow) (payment.Event, error) {
	var sequence int64
	var key [16]byte
	var n int
	var body []byte
	if err := row.Scan(&sequence, &key, &n, &body); err != nil {
		return payment.Event{}, err
	}
	e, err := decodeEvent(body)
	e.Sequence, e.N = sequence, n
	e.Order = keptUnder(key, e)
	return e, err
}

// keptUnder is the order that the key of an event names: none, where that is the case
// that it tells of.
func keptUnder(key [16]byte, e payment.Event) payment.OrderID {
	if e.Case == payment.CaseID(key) {
		return payment.OrderID{}
	}
	return key
}

// eventJSON is an event as the column body keeps it: in the shape in which stores
// get it, but for the sequence among all events, which has a column of its own,
// and with how the order stood in the same commit.
type eventJSON struct {
	ID            string        `json:"id"`
	Type          string        `json:"type"`
	OrderSequence int           `json:"order_sequence"` // numbers the events of one order from 1
	OrderID       string        `json:"order_id"`
	Number        string        `json:"number"`
	CreatedAt     time.Time     `json:"created_at"`
	OrderStatus   string        `json:"order_status"`
	PaymentStatus string        `json:"payment_status"`
	Data          eventDataJSON `json:"data"`
}

type eventDataJSON struct {
	Payment     string `json:"payment,omitempty"`
	Transaction string `json:"transaction,omitempty"`
	Effect      string `json:"effect,omitempty"`
	Case        string `json:"case,omitempty"`
	Kind        string `json:"kind,omitempty"`   // of the case
	Status      string `json:"status,omitempty"` // of what the event is about
	Amount      string `json:"amount,omitempty"`
	Currency    string `json:"currency,omitempty"`
}

// caseEventJSON is what a case without an order tells of itself, as the column body
// keeps it.
type caseEventJSON struct {
	ID        string        `json:"id"`
	Type      string        `json:"type"`
	CreatedAt time.Time     `json:"created_at"`
	Data      eventDataJSON `json:"data"`
}

func encodeCaseEvent(e payment.Event) ([]byte, error) {
	return encodeBody(e, caseEventJSON{ID: e.ID().String(), Type: e.Type, CreatedAt: e.At.UTC(), Data: dataOf(e)})
}

func encodeEvent(o *payment.Order, status payment.Status, e payment.Event) ([]byte, error) {
	return encodeBody(e, eventJSON{
		ID: e.ID().String(), Type: e.Type, OrderSequence: e.N, OrderID: o.ID.String(), Number: o.Number, CreatedAt: e.At.UTC(),
		OrderStatus: string(o.Saved.Status), PaymentStatus: string(status), Data: dataOf(e),
	})
}

func dataOf(e payment.Event) eventDataJSON {
	data := eventDataJSON{Effect: e.Effect, Status: e.Status}
	if e.Payment != 0 {
		data.Payment = payment.PaymentID{Order: e.Order, N: e.Payment}.String()
	}
	if e.Transaction != 0 {
		data.Transaction = payment.TransactionID{Order: e.Order, N: e.Transaction}.String()
	}
	if e.Case != (payment.CaseID{}) {
		data.Case, data.Kind = e.Case.String(), string(e.CaseKind)
	}
	if e.Amount != nil {
		data.Amount, data.Currency = e.Amount.String(), e.Amount.Currency().String()
	}
	return data
}

func encodeBody(e payment.Event, out any) ([]byte, error) {
	body, err := json.Marshal(out, tolerant)
	if err != nil {
		return nil, fmt.Errorf("encode event %s: %w", e.Type, err)
	}
	return body, nil
}

// decodeEvent reads what encodeEvent wrote, apart from what has columns. How the
// order stood then is not part of the noun.
func decodeEvent(body []byte) (payment.Event, error) {
	var in eventJSON
	if err := json.Unmarshal(body, &in); err != nil {
		return payment.Event{}, fmt.Errorf("stored event: %w", err)
	}
	e := payment.Event{
		Type: in.Type, Number: in.Number, Effect: in.Data.Effect, Status: in.Data.Status, At: in.CreatedAt,
	}
	if in.Data.Payment != "" {
		id, err := payment.ParsePaymentID(in.Data.Payment)
		if err != nil {
			return e, fmt.Errorf("stored event: %w", err)
		}
		e.Payment = id.N
	}
	if in.Data.Transaction != "" {
		id, err := payment.ParseTransactionID(in.Data.Transaction)
		if err != nil {
			return e, fmt.Errorf("stored event: %w", err)
		}
		e.Transaction = id.N
	}
	var err error
	if in.Data.Case != "" {
		if e.Case, err = payment.ParseCaseID(in.Data.Case); err != nil {
			return e, fmt.Errorf("stored event: %w", err)
		}
		e.CaseKind = payment.CaseKind(in.Data.Kind)
	}
	e.Amount, err = decodeMoney(in.Data.Amount, in.Data.Currency)
	return e, err
}
