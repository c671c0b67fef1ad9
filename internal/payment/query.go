package payment

import "time"

// Page asks for one page of a list, newest first.
type Page struct {
	// Limit is how many rows at most, 1 to 200.
	Limit int
	// After is the cursor of the row before the page: what the list handed out,
	// "" for the first page.
	After string
}

// OrderFilter selects orders of a store; zero fields select all.
type OrderFilter struct {
	Store           string
	Number          string
	Status          string
	PaymentStatus   string
	Customer        string
	Method          string
	Gateway         string
	Q               string // number prefix, e-mail address, customer id or transaction reference
	From, To        time.Time
	NewNotification *bool
	NeedsReview     *bool
}

// TransactionFilter selects transactions of a store; zero fields select all.
type TransactionFilter struct {
	Store                string
	Type, State          string
	Gateway, Method      string
	Q                    string // our reference, or the PSP's
	From, To             time.Time
	MinAmount, MaxAmount string // decimal strings, compared in each row's own currency
}

// ListedTransaction is a transaction with the names of what it belongs to.
type ListedTransaction struct {
	Transaction
	Order   OrderID
	Number  string
	Payment int
	Method  string
	Gateway string
	Account string
}

// Attribute is a generic attribute of an order: any JSON under a key.
type Attribute struct {
	Key       string
	Value     []byte
	Version   int64 // grows with each change
	UpdatedAt time.Time
}

// TimelineEntry is one line of an order's history; exactly one field beside At
// is set.
type TimelineEntry struct {
	At           time.Time
	Note         *Note
	Transaction  *Transaction
	Run          *RunRecord
	Notification *Notification
	Event        *Event
}

// KeyKind tells keys for servers from keys for browsers.
type KeyKind string

// The kinds of API keys.
const (
	SecretKey      KeyKind = "secret"
	PublishableKey KeyKind = "publishable"
)

// Scope is what a key may do.
type Scope string

// The scopes of secret keys.
const (
	ScopeOrders   Scope = "orders"
	ScopePayments Scope = "payments"
	ScopeRefunds  Scope = "refunds"
	ScopeRead     Scope = "read"
	ScopeAdmin    Scope = "admin"
)

// APIKey is a key to the API. The key itself is not kept, only its hash.
type APIKey struct {
	ID        string // public name of the key, fit for logs
	Hash      []byte // SHA-256 of the key
	Store     string
	Kind      KeyKind
	Scopes    []Scope
	Name      string
	CreatedAt time.Time
	RevokedAt time.Time
}

// StockItem is how many pieces of an article a store has.
type StockItem struct {
	SKU       string
	Quantity  int64
	UpdatedAt time.Time
}

// PromotionCode is a code and how often it was used.
type PromotionCode struct {
	Code      string
	Used      int64
	UsageMax  *int64 // nil: no limit
	UpdatedAt time.Time
}

// Basket is a shopper's basket; orders name it, delete-basket deletes it.
type Basket struct {
	ID        string
	Body      []byte // any JSON
	UpdatedAt time.Time
}

// DueTransaction is a transaction that the PSP is to be asked about.
type DueTransaction struct {
	ID    TransactionID
	Store string
}

// DuePayment is a payment whose time to be looked at has come.
type DuePayment struct {
	ID    PaymentID
	Store string
}

// DueRun is a run that a job takes up.
type DueRun struct {
	ID    RunID
	Store string
}

// DueEffect is an effect that waits to be carried out.
type DueEffect struct {
	Store string
	Order OrderID
	Key   string
	Kind  EffectKind
}

// Standing is where an order stands, for those who only ask that.
type Standing struct {
	Status        OrderStatus
	PaymentStatus Status
	ClientToken   string
	NextAction    *NextAction
	UpdatedAt     time.Time
}

// DueOrder is a pending order whose time may be over.
type DueOrder struct {
	Store string
	ID    OrderID
	// Lease is until when it was leased: what tells this lease from a later one.
	Lease time.Time
}
