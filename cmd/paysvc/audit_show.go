package main

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"time"

	"github.com/paysvc/paysvc/internal/payment"
)

// auditLine is an entry of the audit as JSON.
type auditLine struct {
	Store    string    `json:"store"`
	Position int64     `json:"position"`
	At       time.Time `json:"at"`
	Actor    string    `json:"actor"`
	Source   string    `json:"source"`
	Action   string    `json:"action"`
	Subject  string    `json:"subject"`
	Order    string    `json:"order,omitempty"`
	Amount   string    `json:"amount,omitempty"`
	Currency string    `json:"currency,omitempty"`
	Status   string    `json:"status,omitempty"`
	Detail   string    `json:"detail,omitempty"`
	Event    string    `json:"event,omitempty"`
	Sequence int64     `json:"sequence,omitempty"`
	Digest   string    `json:"digest,omitempty"`
	Hash     string    `json:"hash"`
}

func lineOf(e *payment.AuditEntry) auditLine {
	l := auditLine{
		Store: e.Store, Position: e.Position, At: e.At, Actor: e.Actor, Source: e.Source, Action: e.Action, Subject: e.Subject,
		Amount: e.Amount, Currency: e.Currency, Status: e.Status, Detail: e.Detail, Sequence: e.Sequence,
		Digest: hex.EncodeToString(e.Digest), Hash: hex.EncodeToString(e.Hash),
	}
	if order := e.AboutOrder(); order != (payment.OrderID{}) {
		l.Order = order.String()
	}
	if e.Event != 0 {
		l.Event = payment.EventID{Order: e.Order, N: e.Event}.String()
	}
	return l
}

// auditPage is how many entries are read at a time.
const auditPage = 1000

// showAudit prints entries, one JSON object a line, in their order.
func showAudit(ctx context.Context, args []string, env environment) error {
	flags := flag.NewFlagSet("audit show", flag.ContinueOnError)
	storeName := flags.String("store", "", `the store; "-" is the service as a whole`)
	after := flags.Int64("after", 0, "only entries behind this position")
	limit := flags.Int("limit", 100, "at most so many entries")
	var order payment.OrderID
	flags.Func("order", "only entries of this order", func(s string) (err error) {
		order, err = payment.ParseOrderID(s)
		return err
	})
	if err := parseFlags(flags, args, env); err != nil {
		return err
	}
	if *storeName == "" || *limit < 1 {
		return errors.New("audit show: --store is required, and --limit is at least 1")
	}
	books, err := openStore(ctx)
	if err != nil {
		return err
	}
	defer books.Close()
	out := json.NewEncoder(env.out)
	out.SetEscapeHTML(false)
	for left := *limit; left > 0; {
		page, err := books.ListAudit(ctx, storeOfFlag(*storeName), order, *after, min(left, auditPage))
		if err != nil || len(page) == 0 {
			return err
		}
		for i := range page {
			if err := out.Encode(lineOf(&page[i])); err != nil {
				return err
			}
		}
		*after, left = page[len(page)-1].Position, left-len(page)
	}
	return nil
}
