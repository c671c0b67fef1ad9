package payment

import (
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"strings"
	"sync"
	"time"
)

// ID is a UUIDv7: 16 bytes that sort by the time of their making, which keeps
// the indexes of the database append-only.
type ID [16]byte

// The object ids of the API. Their text is opaque to callers.
type (
	// OrderID identifies an order: "ord_…".
	OrderID ID
	// NotificationID identifies a received notification: "ntf_…".
	NotificationID ID
	// CaseID identifies a case: "cas_…".
	CaseID ID

	// PaymentID identifies a payment of an order: "pay_…".
	PaymentID ChildID
	// TransactionID identifies a transaction of an order: "txn_…".
	TransactionID ChildID
	// RunID identifies a run of a pipeline for an order: "run_…".
	RunID ChildID
	// EventID identifies an event of an order, or of a case without one, whose id then
	// stands in place of the order's: "evt_…".
	EventID ChildID
	// NoteID identifies a note of an order: "not_…".
	NoteID ChildID
)

// ChildID names something that belongs to an order by the order and a number
// that the order gave out. One id therefore finds both the row and the shard
// that it lives in, without a second index, and sorts by age.
type ChildID struct {
	Order OrderID
	N     int
}

const digits = "0123456789abcdefghjkmnpqrstvwxyz"

// encoding keeps the order of the bytes and is safe in URLs and file names.
var encoding = base32.NewEncoding(digits).WithPadding(base32.NoPadding)

const (
	idChars = 26
	// numberChars is how a number of an order is written, 7 digits of 32 at most;
	// only orders with more than a million children need more than these.
	numberChars = 4
)

func (id OrderID) String() string        { return "ord_" + encoding.EncodeToString(id[:]) }
func (id NotificationID) String() string { return "ntf_" + encoding.EncodeToString(id[:]) }
func (id CaseID) String() string         { return "cas_" + encoding.EncodeToString(id[:]) }
func (id PaymentID) String() string      { return ChildID(id).text("pay_") }
func (id TransactionID) String() string  { return ChildID(id).text("txn_") }
func (id RunID) String() string          { return ChildID(id).text("run_") }
func (id EventID) String() string        { return ChildID(id).text("evt_") }
func (id NoteID) String() string         { return ChildID(id).text("not_") }

// ParseOrderID reads what OrderID.String wrote; anything else names no order, and
// the error is ErrOrderNotFound.
func ParseOrderID(s string) (OrderID, error) {
	id, err := parseID(s, "ord_")
	if err != nil {
		return OrderID{}, ErrOrderNotFound
	}
	return OrderID(id), nil
}

// ParseNotificationID reads what NotificationID.String wrote.
func ParseNotificationID(s string) (NotificationID, error) {
	id, err := parseID(s, "ntf_")
	return NotificationID(id), err
}

// ParseCaseID reads what CaseID.String wrote.
func ParseCaseID(s string) (CaseID, error) {
	id, err := parseID(s, "cas_")
	return CaseID(id), err
}

// ParsePaymentID reads what PaymentID.String wrote.
func ParsePaymentID(s string) (PaymentID, error) {
	id, err := parseChild(s, "pay_")
	return PaymentID(id), err
}

// ParseTransactionID reads what TransactionID.String wrote.
func ParseTransactionID(s string) (TransactionID, error) {
	id, err := parseChild(s, "txn_")
	return TransactionID(id), err
}

// ParseRunID reads what RunID.String wrote.
func ParseRunID(s string) (RunID, error) {
	id, err := parseChild(s, "run_")
	return RunID(id), err
}

// ParseEventID reads what EventID.String wrote.
func ParseEventID(s string) (EventID, error) {
	id, err := parseChild(s, "evt_")
	return EventID(id), err
}

func (id ChildID) text(prefix string) string {
	var number [7]byte // an int32 and more
	i := len(number)
	for rest := id.N; i > len(number)-numberChars || rest > 0; rest >>= 5 {
		i--
		number[i] = digits[rest&31]
	}
	return prefix + encoding.EncodeToString(id.Order[:]) + string(number[i:])
}

func parseID(s, prefix string) (ID, error) {
	var id ID
	text, ok := strings.CutPrefix(s, prefix)
	if !ok || len(text) != idChars {
		return id, errMalformedID
	}
	if _, err := encoding.Decode(id[:], []byte(text)); err != nil || encoding.EncodeToString(id[:]) != text {
		return ID{}, errMalformedID
	}
	return id, nil
}

func parseChild(s, prefix string) (ChildID, error) {
	if len(s) < len(prefix)+idChars+numberChars {
		return ChildID{}, errMalformedID
	}
	text, number := s[:len(prefix)+idChars], s[len(prefix)+idChars:]
	order, err := parseID(text, prefix)
	if err != nil {
		return ChildID{}, err
	}
	if len(number) > 7 || len(number) > numberChars && number[0] == '0' {
		return ChildID{}, errMalformedID
	}
	n := 0
	for i := range len(number) {
		digit := strings.IndexByte(digits, number[i])
		if digit < 0 {
			return ChildID{}, errMalformedID
		}
		n = n<<5 | digit
	}
	if n > math.MaxInt32 {
		return ChildID{}, errMalformedID
	}
	return ChildID{Order: OrderID(order), N: n}, nil
}

var errMalformedID = NotFound("an object of this id")

// IDs makes ids, references and tokens from a clock and a source of randomness
// that are handed in. It is safe for concurrent use.
type IDs struct {
	now  func() time.Time
	mu   sync.Mutex
	rand io.Reader
}

// NewIDs returns a maker of ids. rand must be fit for secrets outside tests.
func NewIDs(now func() time.Time, rand io.Reader) *IDs {
	return &IDs{now: now, rand: rand}
}

// New returns a UUIDv7 (RFC 9562, section 5.7).
func (g *IDs) New() ID {
	id := ID(g.stamped(g.random(16)))
	id[6] = id[6]&0x0f | 0x70
	id[8] = id[8]&0x3f | 0x80
	return id
}

// Reference returns our reference of a transaction: 20 characters that every
// PSP takes as merchant reference and idempotency key. It begins with the time,
// so that the unique index on it grows at its end.
func (g *IDs) Reference() string {
	return strings.ToUpper(encoding.EncodeToString(g.stamped(g.random(13)))[:20])
}

// Token returns an unguessable text with 160 random bits.
func (g *IDs) Token() string { return encoding.EncodeToString(g.random(20)) }

// Random returns n random bytes.
func (g *IDs) random(n int) []byte {
	b := make([]byte, n)
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, err := io.ReadFull(g.rand, b); err != nil {
		panic(fmt.Errorf("payment: no randomness: %w", err)) // nothing safe can be done without
	}
	return b
}

// stamped overwrites the first 48 bits of b with the time in milliseconds.
func (g *IDs) stamped(b []byte) []byte {
	var ms [8]byte
	binary.BigEndian.PutUint64(ms[:], uint64(g.now().UnixMilli()))
	copy(b, ms[2:])
	return b
}
