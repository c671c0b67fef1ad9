package payment

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// AccountName names an account of a store at a gateway.
type AccountName struct {
	Store   string
	Gateway string
	Account string
	Mode    Mode
}

// Comparison is a comparison of our books with what a PSP lists, as far as it is.
type Comparison struct {
	Store   string
	Account string
	// CoveredUntil is up to when PSP and books were compared before it.
	CoveredUntil time.Time
	// Lease is until when it was leased: what tells this lease from a later one.
	Lease time.Time
	// Run names it; zero where it has not begun. Until is the end of its window.
	Run   ID
	Until time.Time
	Phase ComparisonPhase
	// Cursor is the page of the PSP's list that comes next, "" for the first.
	Cursor string
	// Pages counts the pages that were turned. Mark is the cursor of one of them: where
	// it comes again, the list goes round.
	Pages int
	Mark  string
	Tally Tally
}

// ComparisonPhase is what a comparison goes through.
type ComparisonPhase string

// The phases: what the PSP lists is looked up here, then the reverse.
const (
	Listing  ComparisonPhase = "listing"
	Checking ComparisonPhase = "checking"
)

// comparisonPagesMax bounds the pages of one comparison: ten million operations of a
// PSP that lists a hundred on each.
const comparisonPagesMax = 100_000

// What is wrong with a list that a comparison cannot come to the end of.
var (
	ErrEndlessList = errors.New("the PSP's list does not end")
	errGoesRound   = fmt.Errorf("%w: it goes round", ErrEndlessList)
	errTooLong     = fmt.Errorf("%w: it has more than %d pages", ErrEndlessList, comparisonPagesMax)
)

// comparisonOverlap is how far a comparison looks back behind the one before: for
// what the PSP told late, and for clocks that differ.
const comparisonOverlap = time.Hour

// Begin opens a comparison of what happened from one time until another, not
// included.
func (c *Comparison) Begin(run ID, until time.Time) {
	c.reset()
	c.Run, c.Until, c.Phase, c.Tally = run, until, Listing, Tally{}
}

// Turn goes on to the next page of the list, or past its end, which is "". The page
// of each power of two is marked: a list that goes round comes to its mark before it
// was read three times.
func (c *Comparison) Turn(next string) error {
	if next == "" {
		c.Phase, c.Cursor = Checking, ""
		return nil
	}
	c.Pages++
	switch {
	case next == c.Cursor, next == c.Mark:
		return errGoesRound
	case c.Pages >= comparisonPagesMax:
		return errTooLong
	case c.Pages&(c.Pages-1) == 0:
		c.Mark = next
	}
	c.Cursor = next
	return nil
}

// Between makes a comparison of what was settled here between two times; the PSP's
// list is read some way around them, but no further than until.
func (c *Comparison) Between(run ID, from, to, until time.Time) {
	c.CoveredUntil = from.Add(comparisonOverlap)
	if end := to.Add(comparisonOverlap); end.Before(until) {
		until = end
	}
	c.Begin(run, until)
}

// End closes a comparison that has come to its end.
func (c *Comparison) End() {
	c.CoveredUntil = c.Until
	c.reset()
}

// GiveUp closes a comparison that cannot come to its end. The next one begins where
// it began.
func (c *Comparison) GiveUp() { c.reset() }

func (c *Comparison) reset() { c.Run, c.Phase, c.Cursor, c.Pages, c.Mark = ID{}, "", "", 0, "" }

// Listed is the window of the PSP's list.
func (c *Comparison) Listed() (from, to time.Time) {
	return c.CoveredUntil.Add(-2 * comparisonOverlap), c.Until
}

// Settled is the window of our transactions that must be on the list: each belongs
// to one comparison, and the list goes on for longer on both sides.
func (c *Comparison) Settled() (from, to time.Time) {
	return c.CoveredUntil.Add(-comparisonOverlap), c.Until.Add(-comparisonOverlap)
}

// Tally counts what a comparison found.
type Tally struct {
	// Listed counts the operations that the PSP told.
	Listed int
	// Recorded counts what was news, and is in the books now.
	Recorded int
	// Orphans counts those that fit nothing here, Missing what we have and the PSP
	// does not tell of; each is a case.
	Orphans int
	Missing int
}

// Counterpart is a transaction of ours, with all that a comparison needs to know.
type Counterpart struct {
	ID TransactionID
	// Named is the reference that it was found by: its own, or that of another
	// transaction of the same payment.
	Named            string
	Account          AccountName
	Type             Type
	State            State
	Amount           Money
	Reference        string
	GatewayReference string
}

// IsSubject tells whether a fact that names the payment is about the transaction:
// the rule of Order.Record, for what is in the books already.
func (c *Counterpart) IsSubject(f Fact) bool {
	if c.Reference != "" && c.Reference == f.Reference {
		return f.Type == "" || f.Type == c.Type || f.Type.Initial() && c.Type.Initial()
	}
	return c.Type == f.Type && f.GatewayReference != "" && c.GatewayReference == f.GatewayReference
}

// Agrees tells whether a fact about the transaction says what the books say.
func (c *Counterpart) Agrees(f Fact) bool {
	return f.State.Known() && !c.State.CanBecome(f.State) &&
		(f.Amount == nil || f.Amount.Currency() == c.Amount.Currency() && f.Amount.Equal(c.Amount)) &&
		(f.Account == "" || f.Account == c.Account.Account) && (f.Mode == "" || f.Mode == c.Account.Mode)
}

// FirstID sorts before every id that is made at a time, or later.
func FirstID(at time.Time) ID {
	var ms [8]byte
	binary.BigEndian.PutUint64(ms[:], uint64(at.UnixMilli()))
	var id ID
	copy(id[:], ms[2:])
	return id
}
