package payment

import (
	"net/netip"
	"time"
)

// RawNotification is a message that a PSP posted, byte for byte.
type RawNotification struct {
	Method string
	// Query is the raw query, and Headers the header fields by canonical name.
	Query   string
	Headers map[string][]string
	Body    []byte
}

// NotificationState is what became of a received notification.
type NotificationState string

// The states of a notification.
const (
	NotificationApplied  NotificationState = "applied"
	NotificationParked   NotificationState = "parked"   // fits no transaction; matched again later
	NotificationFailed   NotificationState = "failed"   // a step failed on it; tried again
	NotificationRejected NotificationState = "rejected" // authentic, and contradicts itself
)

// Notification is a verified message of a PSP in the inbox. It is durable
// before the PSP gets its answer.
type Notification struct {
	ID      NotificationID
	Store   string
	Gateway string
	Account string
	// EventID is the PSP's name for the event, unique per account; where a PSP
	// has none, the gateway derives one from the content.
	EventID string
	// Type is the PSP's word for what happened.
	Type      string
	Raw       RawNotification
	State     NotificationState
	Order     OrderID // zero while parked
	Reference string
	// Facts are what the gateway read in it, kept so that it can be applied again
	// without proving its age anew.
	Facts      []Fact
	Error      string
	ReceivedAt time.Time
	// From is the address of the sender, behind trusted proxies.
	From netip.Addr
	// DueAt is when a parked or failed notification is tried again.
	DueAt time.Time
	Tries int
}
