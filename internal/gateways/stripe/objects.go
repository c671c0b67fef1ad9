package stripe

import (
	"errors"
	"net/http"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/paysvc/paysvc/internal/gateways"
)

// The objects below are what is needed of Stripe's, as all API versions since
// PaymentIntents exist write it. The SDK's types would refuse an event whose
// version has another form in a field that nobody here reads.

// metadata keys. Stripe copies none from a session to its intent.
const (
	metaReference = "reference" // our reference of the payment, or of a refund
	metaMethod    = "method"    // the method, for what is found without its session
	metaCapture   = "capture"   // our reference of the capture, on its intent
	// metaIncrease and our reference of an increase are the key, on its intent, of
	// how much more is reserved by it, in Stripe's minor units.
	metaIncrease = "increase_"
	metaReason   = "reason" // why money was given back, for people
)

// sessionObject is a Checkout Session.
type sessionObject struct {
	ID                string                   `json:"id"`
	ClientReferenceID string                   `json:"client_reference_id"`
	AmountTotal       *int64                   `json:"amount_total"`
	Currency          string                   `json:"currency"`
	Livemode          *bool                    `json:"livemode"`
	Status            string                   `json:"status"`
	PaymentStatus     string                   `json:"payment_status"`
	URL               string                   `json:"url"`
	PaymentIntent     expandable[intentObject] `json:"payment_intent"`
}

// intentObject is a PaymentIntent.
type intentObject struct {
	ID                 string                   `json:"id"`
	Amount             *int64                   `json:"amount"`
	AmountReceived     int64                    `json:"amount_received"`
	Currency           string                   `json:"currency"`
	Livemode           *bool                    `json:"livemode"`
	Status             string                   `json:"status"`
	CaptureMethod      string                   `json:"capture_method"`
	CancellationReason string                   `json:"cancellation_reason"`
	ClientSecret       string                   `json:"client_secret"`
	Metadata           map[string]string        `json:"metadata"`
	LastPaymentError   *errorDetail             `json:"last_payment_error"`
	LatestCharge       expandable[chargeObject] `json:"latest_charge"`
}

// chargeObject is a charge: one attempt of an intent.
type chargeObject struct {
	Amount         int64               `json:"amount"`
	AmountCaptured int64               `json:"amount_captured"`
	Captured       bool                `json:"captured"`
	Status         string              `json:"status"`
	Disputed       bool                `json:"disputed"`
	Refunds        *list[refundObject] `json:"refunds"`
	Details        struct {
		Card struct {
			CaptureBefore int64 `json:"capture_before"`
		} `json:"card"`
	} `json:"payment_method_details"`
}

// refundObject is a refund, or what Stripe calls so when it lets go of money that
// was reserved and not taken.
type refundObject struct {
	ID                 string                   `json:"id"`
	Amount             *int64                   `json:"amount"`
	Currency           string                   `json:"currency"`
	Status             string                   `json:"status"`
	Reason             string                   `json:"failure_reason"`
	Created            int64                    `json:"created"`
	Metadata           map[string]string        `json:"metadata"`
	BalanceTransaction expandable[struct{}]     `json:"balance_transaction"`
	FailureTransaction expandable[struct{}]     `json:"failure_balance_transaction"`
	PaymentIntent      expandable[intentObject] `json:"payment_intent"`
}

// disputeObject is a chargeback, or the inquiry that may become one.
type disputeObject struct {
	ID                  string           `json:"id"`
	Amount              *int64           `json:"amount"`
	Currency            string           `json:"currency"`
	Status              string           `json:"status"`
	Reason              string           `json:"reason"`
	Created             int64            `json:"created"`
	BalanceTransactions []jsontext.Value `json:"balance_transactions"`
}

// list is a page of objects: a list, or the result of a search.
type list[T any] struct {
	Object  string `json:"object"`
	HasMore bool   `json:"has_more"`
	Data    []T    `json:"data"`
}

// errorObject is a refusal.
type errorObject struct {
	Error errorDetail `json:"error"`
}

// errorDetail says why, of a request or of the last attempt of an intent.
type errorDetail struct {
	Type        string `json:"type"`
	Code        string `json:"code"`
	DeclineCode string `json:"decline_code"`
	AdviceCode  string `json:"advice_code"`
	Message     string `json:"message"`
	Param       string `json:"param"`
}

// expandable is an object, or only its id.
type expandable[T any] struct {
	ID     string
	Object *T
}

// UnmarshalJSON implements json.Unmarshaler.
func (e *expandable[T]) UnmarshalJSON(b []byte) error {
	switch jsontext.Value(b).Kind() {
	case 'n':
		*e = expandable[T]{}
		return nil
	case '"':
		return json.Unmarshal(b, &e.ID)
	}
	named := struct {
		ID string `json:"id"`
	}{}
	if err := json.Unmarshal(b, &named); err != nil {
		return err
	}
	e.ID, e.Object = named.ID, new(T)
	return json.Unmarshal(b, e.Object)
}

var errUnreadable = errors.New("the object cannot be read")

// decode reads a JSON object: no duplicate and no wrongly cased names, valid
// UTF-8, nothing behind it. Fields that we do not know are Stripe's future.
func decode[T any](body []byte) (T, error) {
	var object T
	err := json.Unmarshal(body, &object)
	return object, err
}

// answered reads the answer to a question. Its error is of kind unavailable, and
// gateways.ErrNotFound where Stripe itself says that there is no such object.
func answered[T any](a gateways.Answer) (T, error) {
	var none T
	if a.Outcome != gateways.Answered {
		return none, a.Err()
	}
	if a.Status == http.StatusNotFound {
		if e, err := decode[errorObject](a.Body); err == nil && e.Error.Code == "resource_missing" {
			return none, gateways.ErrNotFound
		}
	}
	if a.Status != http.StatusOK {
		return none, a.Unreadable().Err()
	}
	read, err := decode[T](a.Body)
	if err != nil {
		return none, a.Unreadable().Err()
	}
	return read, nil
}
