package api

import (
	"context"
	"time"

	"github.com/paysvc/paysvc/internal/moments"
	"github.com/paysvc/paysvc/internal/payment"
)

// Books are what the lists and the small objects of the API are read from and
// kept in. Every method is confined to the store that it is given.
type Books struct {
	Transactions   Transactions
	Notes          Notes
	Timeline       Timeline
	Attributes     Attributes
	CheckoutState  Attributes
	Events         Events
	Endpoints      Endpoints
	Deliveries     Deliveries
	Runs           Runs
	Notifications  Notifications
	News           News
	Cases          Cases
	Jobs           Jobs
	Stock          Stock
	PromotionCodes PromotionCodes
	Baskets        Baskets
	GiftCards      GiftCards
	Audits         Audits
	// Replays and Pipelines are moments rather than books, and here because only
	// the lists need them.
	Replays   Replays
	Pipelines Pipelines
}

// Transactions lists transactions, newest first.
type Transactions interface {
	ListTransactions(ctx context.Context, f payment.TransactionFilter, p payment.Page) ([]payment.ListedTransaction, string, error)
}

// Notes keeps the notes of orders.
type Notes interface {
	ListNotes(ctx context.Context, store string, order payment.OrderID, p payment.Page) ([]payment.Note, string, error)
	AddNote(ctx context.Context, store string, order payment.OrderID, n payment.Note, by payment.AuditEntry) (payment.Note, error)
}

// Timeline merges all that happened to an order, oldest first; of more than limit
// entries the latest.
type Timeline interface {
	Timeline(ctx context.Context, store string, order payment.OrderID, limit int) ([]payment.TimelineEntry, error)
}

// Attributes keeps generic attributes of orders. expect is the version that a
// write depends on: nil for any, 0 for none.
type Attributes interface {
	Attribute(ctx context.Context, store string, order payment.OrderID, key string) (payment.Attribute, error)
	PutAttribute(ctx context.Context, store string, order payment.OrderID, key string, value []byte, expect *int64, at time.Time) (payment.Attribute, error)
	DeleteAttribute(ctx context.Context, store string, order payment.OrderID, key string, expect *int64) error
}

// Events reads the outbox, oldest first.
type Events interface {
	ListEvents(ctx context.Context, store string, after int64, eventType string, limit int) ([]payment.Event, error)
}

// Runs reads the journal.
type Runs interface {
	Run(ctx context.Context, store string, id payment.RunID) (*payment.RunRecord, error)
}

// Notifications reads the inbox.
type Notifications interface {
	ListNotifications(ctx context.Context, store string, state payment.NotificationState, p payment.Page) ([]*payment.Notification, string, error)
	Notification(ctx context.Context, store string, id payment.NotificationID) (*payment.Notification, error)
}

// News marks orders as looked at.
type News interface {
	MarkSeen(ctx context.Context, store string, order payment.OrderID) error
}

// Cases reads what only a person can decide.
type Cases interface {
	Case(ctx context.Context, store string, id payment.CaseID) (payment.Case, error)
	ListCases(ctx context.Context, store, state string, kind payment.CaseKind, p payment.Page) ([]payment.Case, string, error)
}

// Stock keeps how many pieces a store has.
type Stock interface {
	ListStock(ctx context.Context, store string, p payment.Page) ([]payment.StockItem, string, error)
	StockItem(ctx context.Context, store, sku string) (payment.StockItem, error)
	SetStock(ctx context.Context, store string, items []payment.StockItem, at time.Time) error
	DeleteStock(ctx context.Context, store, sku string) error
}

// PromotionCodes keeps codes and how often they were used.
type PromotionCodes interface {
	ListPromotionCodes(ctx context.Context, store string, p payment.Page) ([]payment.PromotionCode, string, error)
	PromotionCode(ctx context.Context, store, code string) (payment.PromotionCode, error)
	SetPromotionCodes(ctx context.Context, store string, codes []payment.PromotionCode, at time.Time) error
	DeletePromotionCode(ctx context.Context, store, code string) error
}

// Baskets keeps the baskets that orders name.
type Baskets interface {
	Basket(ctx context.Context, store, id string) (payment.Basket, error)
	PutBasket(ctx context.Context, store, id string, body []byte, at time.Time) error
	DeleteBasket(ctx context.Context, store, id string, at time.Time) error
}

// Replays applies a kept notification again.
type Replays interface {
	Replay(ctx context.Context, n *payment.Notification) error
}

// Pipelines tells what runs, for each method of a store, and tries what would.
type Pipelines interface {
	Pipelines(store string) []moments.MethodPipelines
	Try(ctx context.Context, c moments.TryCommand) (*moments.Tried, error)
}
