package payment

import (
	"net/netip"
	"strconv"
	"time"
)

// GiftCardID identifies a gift card: "gcd_…".
type GiftCardID ID

func (id GiftCardID) String() string { return "gcd_" + encoding.EncodeToString(id[:]) }

// ParseGiftCardID reads what GiftCardID.String wrote; anything else names no card,
// and the error is ErrGiftCardNotFound.
func ParseGiftCardID(s string) (GiftCardID, error) {
	id, err := parseID(s, "gcd_")
	if err != nil {
		return GiftCardID{}, ErrGiftCardNotFound
	}
	return GiftCardID(id), nil
}

// GiftCard is money that was paid in advance: whoever has the code can pay with it.
type GiftCard struct {
	ID    GiftCardID
	Store string
	// Last4 is all that is known of the code: beside it a hash is kept.
	Last4   string
	Initial Money
	Balance Money
	// Active tells that the card can be paid with. Money can be given back to any.
	Active bool
	// ExpiresAt is from when on it cannot be paid with; zero for never.
	ExpiresAt time.Time
	Metadata  map[string]string
	CreatedAt time.Time
	UpdatedAt time.Time
}

// GiftCardKind is what an entry of a card's ledger is about.
type GiftCardKind string

// The kinds of entries.
const (
	GiftCardIssue  GiftCardKind = "issue"
	GiftCardTaken  GiftCardKind = "take"
	GiftCardReturn GiftCardKind = "return"
)

// GiftCardEntry is a line of a card's ledger. Lines are added, never changed.
type GiftCardEntry struct {
	Card GiftCardID
	N    int // 1 is the issue
	Kind GiftCardKind
	// Reference is our reference of the transaction, "" for an issue. There is one
	// entry for each reference and kind.
	Reference string
	Order     OrderID // zero for an issue
	// Amount is what was put on the card, negative for what was taken, and Balance
	// what was on it afterwards.
	Amount  Money
	Balance Money
	Last4   string
	At      time.Time
}

// Name is what a transaction knows the entry by.
func (e GiftCardEntry) Name() string { return e.Card.String() + "-" + strconv.Itoa(e.N) }

// GiftCardLookup asks for the card of a code.
type GiftCardLookup struct {
	Store string
	Code  GiftCardCode
}

// GiftCardTaking asks to take money from the card of a code.
type GiftCardTaking struct {
	Store     string
	Code      GiftCardCode
	Amount    Money
	Reference string
	Order     OrderID
	// Shopper is the address of who typed the code; the zero value where it is not known.
	Shopper netip.Addr
	At      time.Time
}

// GiftCardReturning asks to give back what was taken under a reference, or a part
// of it, to the card that it came from.
type GiftCardReturning struct {
	Store          string
	Amount         Money
	Reference      string
	TakenReference string
	Order          OrderID
	At             time.Time
}

// ErrGiftCardNotFound is a card that the store does not have.
var ErrGiftCardNotFound = NotFound("the gift card")

// Why no code is looked up, for the operator.
var (
	ErrGiftCardsOff = Errorf(KindUnavailable, "gift_cards_not_configured",
		"the service has no key for the codes of gift cards. Its operator sets PAYSVC_SECRET_KEY")
	ErrGiftCardsKeyed = Errorf(KindUnavailable, "gift_cards_other_key",
		"gift cards of the store need a key that PAYSVC_SECRET_KEY does not have. Its operator adds that one")
)

// Why a card is not paid with: in Why, for the shopper, who is told nothing that
// only the holder of the card knows. A code that the store does not have, and one
// that it has blocked, look alike.
var (
	ErrGiftCardInvalid  = refusedCard("gift_card_invalid", "The gift card cannot be used.", "hard")
	ErrGiftCardExpired  = refusedCard("gift_card_expired", "The gift card has expired.", "hard")
	ErrGiftCardCurrency = refusedCard("gift_card_currency", "The gift card is in another currency.", "hard")
	// ErrGiftCardTries says nothing about the card: it was not looked up.
	ErrGiftCardTries = refusedCard("too_many_attempts", "Too many codes of gift cards were tried.", "soft")
	ErrGiftCardShort = refusedCard("insufficient_funds", "There is not enough on the gift card.", "soft")
)

// Why nothing is given back to a card.
var (
	ErrGiftCardNotTaken = refusedCard("gift_card_not_taken", "Nothing was taken from a gift card for this payment.", "hard")
	ErrGiftCardReturned = refusedCard("amount_exceeds", "More would be given back than was taken.", "hard")
)

func refusedCard(code, message, decline string) *Error {
	return &Error{
		Kind: KindConflict, Code: code, Message: message, Why: Reason{Code: code, Message: message, Decline: decline},
	}
}
