package payment

import "time"

// EndpointID identifies a webhook endpoint: "whk_…". The zero value stands for
// the store's own system, which carries out the effects that the settings leave
// to it.
type EndpointID ID

func (id EndpointID) String() string { return "whk_" + encoding.EncodeToString(id[:]) }

// ParseEndpointID reads what EndpointID.String wrote.
func ParseEndpointID(s string) (EndpointID, error) {
	id, err := parseID(s, "whk_")
	if err == nil && EndpointID(id) == Storefront {
		err = errMalformedID // no caller ever saw it
	}
	return EndpointID(id), err
}

// Storefront is the endpoint that commands for effects go to.
var Storefront EndpointID //nolint:gochecknoglobals // a constant that Go cannot write as one

// EndpointsMax is how many endpoints a store may have.
const EndpointsMax = 50

// Endpoint is a URL of a store that events are posted to.
type Endpoint struct {
	ID    EndpointID
	Store string
	URL   string
	// Types are the types of events that it gets, "payment.*" being all that begin
	// so; empty means all.
	Types  []string
	Active bool
	// Disabled says why it is not active, "" while it is.
	Disabled DisabledReason
	// Failures counts the rounds in a row in which nothing was taken, and
	// FailingSince is when the first of them was.
	Failures     int
	FailingSince time.Time
	// BehindSince is when the first event happened that it was not told of yet, zero
	// for none.
	BehindSince time.Time
	// SecretVersion counts the secrets from 1. Until RotatingUntil the one before
	// signs too.
	SecretVersion int
	RotatingUntil time.Time
	CreatedAt     time.Time
	UpdatedAt     time.Time
}

// SecretVersions are the versions that sign now, the newest first.
func (e *Endpoint) SecretVersions(now time.Time) []int {
	if e.SecretVersion > 1 && now.Before(e.RotatingUntil) {
		return []int{e.SecretVersion, e.SecretVersion - 1}
	}
	return []int{e.SecretVersion}
}

// DisabledReason says why an endpoint gets nothing.
type DisabledReason string

// Why endpoints are not active.
const (
	DisabledByRequest DisabledReason = "by_request"
	// DisabledGone is an endpoint that answered 410.
	DisabledGone DisabledReason = "gone"
	// DisabledFailing is one that did not answer for days.
	DisabledFailing DisabledReason = "failing"
)

// CaseEndpointDisabled is an endpoint that failed for days and gets nothing any
// more.
const CaseEndpointDisabled CaseKind = "endpoint_disabled"

// EndpointChange is what is to change about an endpoint; nil fields stay.
type EndpointChange struct {
	URL    *string
	Types  *[]string
	Active *bool
}

// DeliveryState is how far a delivery is.
type DeliveryState string

// The states of a delivery.
const (
	DeliveryPending   DeliveryState = "pending"
	DeliveryDelivered DeliveryState = "delivered"
	DeliveryParked    DeliveryState = "parked" // given up; only a redelivery tries again
)

// Delivery is an event on its way to one endpoint.
type Delivery struct {
	Event    Event
	Endpoint EndpointID
	State    DeliveryState
	Tries    int
	Status   int    // HTTP status of the last answer, 0 for none
	Error    string // what went wrong last, "" for nothing
	// NextAt is when it is tried next, zero when it is not.
	NextAt    time.Time
	CreatedAt time.Time
	EndedAt   time.Time // when it was delivered or parked
}

// Target is where deliveries go together, one after the other in time.
type Target struct {
	Store    string
	Endpoint EndpointID
}

// Batch is what is delivered to a target together, under a lease: nobody else
// delivers to it until the batch is finished, or the lease has run out.
type Batch struct {
	Endpoint Endpoint
	// Due are those that were tried before, and behind them the events that the
	// target did not have yet, in their order.
	Due []Delivery
	// Cursor is the sequence up to which the target has had its events, this batch
	// included.
	Cursor int64
	// More tells that there may be more.
	More bool
}

// Outcome is what came of trying a delivery.
type Outcome struct {
	Event    EventID
	Sequence int64 // of the event
	State    DeliveryState
	Status   int
	Error    string
	NextAt   time.Time // of one that stays pending
	// Untried gives a delivery back that was leased and not tried.
	Untried bool
}

// Result is what came of a batch.
type Result struct {
	Outcomes []Outcome
	Cursor   int64 // that of the batch
	Health   Health
}

// Health is what a round of tries says about the endpoint.
type Health struct {
	// Succeeded tells that something was taken, Failed that nothing was; then it
	// rests until RestUntil, zero for no rest.
	Succeeded bool
	Failed    bool
	RestUntil time.Time
	// Disable, when set, ends deliveries to the endpoint.
	Disable DisabledReason
}
