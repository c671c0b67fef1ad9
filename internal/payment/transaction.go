package payment

import (
	"encoding/json"
	"slices"
	"time"
)

// Payment is an intent: so much of an order's total, on one method. The
// gateway and account of a payment never change.
type Payment struct {
	N       int // its number within the order
	Method  string
	Kind    string // the gateway's own word for the method, "" where it was not kept
	Gateway string
	Account string
	Mode    Mode
	Amount  Money // of the order's total
	Fee     Money // on top of Amount; negative for a discount, never below -Amount
	// Sums and Status are derived from the transactions by Order.Record.
	Sums   Sums
	Status Status
	// NextAction is what the shopper has to do, while that is so.
	NextAction *NextAction
	// Details are what may be kept of what the shopper entered, for those who
	// collect the money: masked where the whole is not needed. They may be personal
	// data: never logged, never in an error.
	Details map[string]string
	// Tender is the number of the first of the payments that pay the order together,
	// all of them or none; 0 for one that pays alone.
	Tender int
	// AbandonAt is when a payment that waits for others of its tender is given up,
	// should nothing have been sent for it by then; zero once that is settled.
	AbandonAt time.Time
	// Release is why and how its money is given back; nil for money that is kept.
	Release *Release
	// CaptureBefore is until when the PSP keeps money reserved, zero for unknown;
	// ClockDueAt is when somebody looks at that next, zero when nobody has to.
	CaptureBefore time.Time
	ClockDueAt    time.Time
	Transactions  []*Transaction
	CreatedAt     time.Time

	change Change
}

// Mode tells real money from play money.
type Mode string

// The modes of an account.
const (
	ModeTest Mode = "test"
	ModeLive Mode = "live"
)

// Transaction is one exchange of money with a PSP. It is never deleted and
// never rewritten except to settle it.
type Transaction struct {
	N      int // its number within the order
	Type   Type
	State  State
	Amount Money
	// Reference is ours: the PSP's merchant reference and idempotency key. It is
	// empty for a transaction that the PSP began by itself (a dashboard refund).
	Reference string
	// GatewayReference is the PSP's name for it, "" until the PSP told.
	GatewayReference string
	// Parent is the number of the transaction that this one acts upon, 0 for none.
	Parent int
	// Held marks a fact that breaks a rule, such as a refund of more than was
	// captured: it is on record, out of the sums, and a case is open.
	Held      bool
	Reason    Reason
	CreatedAt time.Time
	SettledAt time.Time // zero while open
	// DueAt is when the PSP is asked next; zero when there is nothing to ask.
	DueAt time.Time
	// Inquiries counts how often the PSP was asked.
	Inquiries int
	// Run is the number of the run that announced it, 0 for what the PSP began.
	Run int
	// StoreReference is the store's own word for it, such as a shipment; Purpose is
	// why it was asked for, for people.
	StoreReference string
	Purpose        string
	// Rest says of a capture that it is the last, and what becomes of what it leaves.
	Rest Rest

	change Change
}

// Reason says why something was declined or is unknown.
type Reason struct {
	Code    string // ours or the PSP's, lower case: "insufficient_funds"
	Message string // for people
	Decline string // "soft": try again later; "hard": never with this method; or ""
}

// NextAction is what the shopper, or the page in front of the shopper, must do.
type NextAction struct {
	Type    string            // redirect, post_form, display or client
	URL     string            // of redirect and post_form
	Fields  map[string]string // of post_form
	Kind    string            // of display: qr or instructions
	Content string            // of display
	Data    json.RawMessage   // of client
}

// Change tells the store what to write.
type Change int

// The changes since an object was loaded.
const (
	Unchanged Change = iota
	Changed
	Added
)

// Change tells what happened to the payment since it was loaded.
func (p *Payment) Change() Change { return p.change }

// Change tells what happened to the transaction since it was loaded.
func (t *Transaction) Change() Change { return t.change }

// AwaitsTransfer tells of what is pending outside any PSP, such as an invoice:
// there is nobody to ask about it, and nobody ever was asked.
func (t *Transaction) AwaitsTransfer() bool {
	return t.State == Pending && t.DueAt.IsZero() && t.Inquiries == 0
}

func (c Change) touched() Change { return max(c, Changed) }

// Initial returns the transaction that began the payment, or nil.
func (p *Payment) Initial() *Transaction {
	for _, t := range p.Transactions {
		if t.Type.Initial() {
			return t
		}
	}
	return nil
}

// OpenTransactions returns the transactions of the payment that are not decided.
func (p *Payment) OpenTransactions() []*Transaction {
	return slices.DeleteFunc(slices.Clone(p.Transactions), func(t *Transaction) bool { return !t.State.Open() })
}

// Charge returns what the shopper is asked for: the amount with its fee.
func (p *Payment) Charge() Money { return p.Amount.Add(p.Fee) }

// covers returns how much of Amount is paid by so much money. The fee comes
// last, so that the order is paid once its own total is; a discount is granted
// once all that was asked for is there.
func (p *Payment) covers(money Money) Money {
	initial := p.Initial()
	if initial != nil && initial.State == Approved && money.Cmp(p.Charge()) >= 0 {
		return p.Amount
	}
	return money.Min(p.Amount)
}

// keep adds details to the payment; what was told first stays.
func (p *Payment) keep(details map[string]string) {
	for name, value := range details {
		if _, known := p.Details[name]; known {
			continue
		}
		if p.Details == nil {
			p.Details = make(map[string]string, len(details))
		}
		p.Details[name] = value
		p.change = p.change.touched()
	}
}

// OpenPayment adds an intent to pay amount on a method to the order.
func (o *Order) OpenPayment(method, gateway, account string, mode Mode, amount Money, at time.Time) *Payment {
	p := &Payment{
		N: o.NextNumber(), Method: method, Gateway: gateway, Account: account, Mode: mode,
		Amount: amount, Fee: Zero(o.Currency), Sums: ZeroSums(o.Currency), Status: StatusPending,
		CreatedAt: at, change: Added,
	}
	o.Payments = append(o.Payments, p)
	return p
}

// Abandon ends a payment of which nothing was ever sent.
func (o *Order) Abandon(p *Payment, at time.Time) {
	if len(p.Transactions) > 0 || p.Status == StatusFailed {
		return
	}
	p.Status, p.NextAction, p.AbandonAt = StatusFailed, nil, time.Time{}
	p.change = p.change.touched()
	o.Emit(Event{Type: "payment." + string(p.Status), Payment: p.N, Status: string(p.Status)}, at)
	o.breakTender(p, at)
}

// Waits tells of a payment of a tender that it is about to be sent, behind others.
func (p *Payment) Waits() bool { return !p.AbandonAt.IsZero() }

// Abandoned tells of a payment that nothing was sent for it, and nothing will be.
func (p *Payment) Abandoned() bool { return len(p.Transactions) == 0 && p.Status == StatusFailed }

// Unsent tells of a payment that is still to be sent to its PSP.
func (p *Payment) Unsent() bool { return len(p.Transactions) == 0 && p.Status == StatusPending }

// Announce adds a transaction in state sending to the payment: from the commit
// on that writes it, the PSP may have it, and it is never sent again. due is
// when the PSP is first asked about it should no answer be recorded.
func (o *Order) Announce(p *Payment, typ Type, reference string, amount Money, at, due time.Time) *Transaction {
	t := &Transaction{
		N: o.NextNumber(), Type: typ, State: Sending, Amount: amount, Reference: reference,
		CreatedAt: at, DueAt: due, change: Added,
	}
	p.Transactions, p.AbandonAt = append(p.Transactions, t), time.Time{}
	p.change = p.change.touched()
	return t
}
