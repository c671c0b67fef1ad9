package sandbox

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	pageDefault = 100
	pageMax     = 500
)

// movement is an operation that moved money, in a merchant's list.
type movement struct {
	Operation operationView `json:"operation"`
	Payment   movedPayment  `json:"payment"`
}

// movedPayment names the payment of a movement.
type movedPayment struct {
	ID        string `json:"id"`
	Reference string `json:"reference"`
	Account   string `json:"account"`
	Mode      string `json:"mode"`
}

type movementPage struct {
	Data       []movement `json:"data"`
	NextCursor *string    `json:"next_cursor"`
}

// window is what a merchant asks to be listed.
type window struct {
	account  string
	from, to time.Time
	after    string // the place behind which the page begins
	limit    int
}

// listForMerchant lists what moved money at the account between two times, by
// when it came to its state.
func (s *Simulator) listForMerchant(w http.ResponseWriter, r *http.Request, a Account) error {
	asked, err := windowOf(r, a)
	if err != nil {
		return err
	}
	answer := movementPage{Data: []movement{}}
	for _, m := range s.ledger.movements(asked) {
		if len(answer.Data) == asked.limit {
			last := placeOf(answer.Data[len(answer.Data)-1].Operation)
			answer.NextCursor = &last
			break
		}
		m.Payment.Mode = s.mode(a.ID)
		answer.Data = append(answer.Data, m)
	}
	return writeJSON(w, http.StatusOK, answer)
}

func windowOf(r *http.Request, a Account) (window, error) {
	q := r.URL.Query()
	asked := window{account: a.ID, after: q.Get("cursor"), limit: pageDefault}
	var err error
	if asked.from, err = time.Parse(time.RFC3339Nano, q.Get("from")); err != nil {
		return window{}, invalid("from", "A time is RFC 3339.")
	}
	if asked.to, err = time.Parse(time.RFC3339Nano, q.Get("to")); err != nil {
		return window{}, invalid("to", "A time is RFC 3339.")
	}
	if q.Has("limit") {
		asked.limit, err = strconv.Atoi(q.Get("limit"))
		if err != nil || asked.limit < 1 || asked.limit > pageMax {
			return window{}, invalid("limit", "From 1 to 500.")
		}
	}
	return asked, nil
}

// placeOf orders the operations of a list, and is the cursor behind one.
func placeOf(o operationView) string {
	return o.At.UTC().Format("20060102T150405.000000000") + "~" + o.ID
}

// movements gives one operation more than the window's limit, if there is one.
func (l *ledger) movements(w window) []movement {
	l.mu.Lock()
	defer l.mu.Unlock()
	found := []movement{}
	for _, at := range l.order {
		p := l.payments[at.payment]
		o := &p.Operations[at.index]
		moved := o.State == stateApproved || o.State == stateReversed
		if p.Account != w.account || !moved || o.ChangedAt.Before(w.from) || !o.ChangedAt.Before(w.to) {
			continue
		}
		if v := viewOperation(o); placeOf(v) > w.after {
			found = append(found, movement{v, movedPayment{ID: p.ID, Reference: p.first().Reference, Account: p.Account}})
		}
	}
	slices.SortFunc(found, func(a, b movement) int {
		return cmp.Or(a.Operation.At.Compare(b.Operation.At), strings.Compare(a.Operation.ID, b.Operation.ID))
	})
	return found[:min(len(found), w.limit+1)]
}
