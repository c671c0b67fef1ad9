package payment

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// AuditHead is the end of an audit: where it is noted outside of the database, it
// proves later that nothing was cut off or written anew.
type AuditHead struct {
	Store    string
	Position int64
	Hash     []byte
	// Sequence is that of the last event which was taken over.
	Sequence int64
}

// String is position and hash, in the shape that ParseAuditHead reads.
func (h AuditHead) String() string {
	return strconv.FormatInt(h.Position, 10) + ":" + hex.EncodeToString(h.Hash)
}

// ParseAuditHead reads what AuditHead.String wrote.
func ParseAuditHead(s string) (AuditHead, error) {
	position, hash, _ := strings.Cut(s, ":")
	n, err := strconv.ParseInt(position, 10, 64)
	sum, bad := hex.DecodeString(hash)
	if err != nil || bad != nil || n < 1 || len(sum) != 32 {
		return AuditHead{}, Invalid("head", "head_invalid", "must be POSITION:HASH, as it was logged or printed")
	}
	return AuditHead{Position: n, Hash: sum}, nil
}

// AuditFault is something that is wrong with a chain.
type AuditFault struct {
	Position int64
	What     string
}

// UnfitEvent is an event that differs from the audit.
type UnfitEvent struct {
	Event    EventID
	Sequence int64
	Position int64 // of the entry that took it over, 0 where there is none
	What     string
}

// AuditReport is what came of verifying the audit of a store.
type AuditReport struct {
	Store   string
	Entries int64
	Head    AuditHead
	// Faults are those of the chain: the first row that is wrong, and what does not
	// fit its end. Unfit are the events that differ.
	Faults []AuditFault
	Unfit  []UnfitEvent
	// Behind is how many events wait to be taken over, since when the oldest.
	Behind int64
	Since  time.Time
}

// Holds tells that nothing is wrong. An audit that is behind is not wrong.
func (r AuditReport) Holds() bool { return len(r.Faults) == 0 && len(r.Unfit) == 0 }

// AuditCheck verifies a chain, entry by entry.
type AuditCheck struct {
	AuditReport
	noted    AuditHead // zero for none
	last     int64     // the position of the entry before
	hash     []byte
	sequence int64 // the highest of an event so far
	broken   bool
}

// NewAuditCheck begins at the first entry of a store. noted is a head from before
// that must be in the chain, the zero value for none.
func NewAuditCheck(store string, noted AuditHead) *AuditCheck {
	return &AuditCheck{AuditReport: AuditReport{Store: store}, noted: noted}
}

// Add takes the next entry, in the order of their positions. Behind the first that
// is wrong nothing can be said of the others.
func (c *AuditCheck) Add(e *AuditEntry) {
	c.Entries++
	c.sequence = max(c.sequence, e.Sequence)
	if c.broken {
		return
	}
	switch {
	case e.Store != c.Store, e.Position != c.last+1:
		c.fault(c.last+1, fmt.Sprintf("is missing; the next one is %d", e.Position))
	case !bytes.Equal(e.Chained(c.hash), e.Hash):
		c.fault(e.Position, "was changed, or the one before it was")
	case e.Position == c.noted.Position && !bytes.Equal(e.Hash, c.noted.Hash):
		c.fault(e.Position, "has another hash than the head that was noted")
	}
	c.last, c.hash = e.Position, e.Hash
}

// End compares the end of the chain with what the books say that it is.
func (c *AuditCheck) End(head AuditHead) {
	c.Head = head
	if !c.broken {
		switch {
		case head.Position > c.last:
			c.fault(c.last+1, fmt.Sprintf("is missing; the head is at %d", head.Position))
		case head.Position < c.last:
			c.fault(head.Position+1, "is behind the head")
		case !bytes.Equal(head.Hash, c.hash):
			c.fault(head.Position, "has another hash than the head")
		case c.noted.Position > c.last:
			c.fault(c.last+1, fmt.Sprintf("is missing; the head that was noted is at %d", c.noted.Position))
		}
	}
	if c.sequence > head.Sequence {
		c.fault(head.Position, "took over events that the head does not know of")
	}
}

// HeadWithoutEvent notes that there is no event at the sequence of the head, so that
// some may be passed over.
func (c *AuditCheck) HeadWithoutEvent() {
	c.fault(c.Head.Position, "is the head, and says that an event was taken over which does not exist")
}

func (c *AuditCheck) fault(position int64, what string) {
	c.broken = true
	c.Faults = append(c.Faults, AuditFault{Position: position, What: what})
}
