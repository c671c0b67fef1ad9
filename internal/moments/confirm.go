package moments

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/netip"

	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline"
	"github.com/paysvc/paysvc/internal/settings"
)

// Delivery is a message that somebody posted to /confirm/{gateway}/{account}.
type Delivery struct {
	Gateway string
	Account string
	// From is the address of the sender, behind trusted proxies.
	From netip.Addr
	Raw  payment.RawNotification
}

// Receipt is the answer that the PSP expects once its message is durable.
type Receipt struct {
	ContentType string
	Body        []byte
}

var errUnproven = payment.Errorf(payment.KindUnauthenticated, "notification_unverified", "the notification could not be verified")

// Confirm takes in a notification: payment confirm. It is verified on its raw
// bytes; then the message, its facts and the confirm pipeline are one commit.
// Without an error the bytes are durable, whatever could be made of them.
func (s *Service) Confirm(ctx context.Context, d Delivery) (Receipt, error) {
	account := s.shops.Load().receiver(d.Gateway, d.Account)
	if account == nil {
		return Receipt{}, payment.NotFound("the account")
	}
	reader, ok := account.Gateway.(gateways.NotificationReader)
	if !ok {
		return Receipt{}, payment.NotFound("the account")
	}
	if !mayNotify(account, d.From) {
		return Receipt{}, errUnproven
	}
	notice, unreadable := reader.ReadNotification(ctx, d.Raw)
	if unreadable != nil && payment.KindOf(unreadable) != payment.KindInvalid {
		return Receipt{}, unreadable
	}
	n := &payment.Notification{
		ID: payment.NotificationID(s.IDs.New()), Store: account.Store, Gateway: d.Gateway, Account: d.Account,
		EventID: notice.EventID, Type: notice.Type, Raw: d.Raw, Reference: notice.Reference,
		Facts: fromNotification(notice.Facts), ReceivedAt: s.Now(), From: d.From,
	}
	var err error
	if unreadable != nil {
		err = s.reject(ctx, n, "authentic, but it cannot be read or contradicts itself")
	} else {
		err = s.take(ctx, n)
	}
	if err != nil {
		return Receipt{}, err
	}
	return receipt(account.Gateway), nil
}

// take makes a verified notification durable and applies it.
func (s *Service) take(ctx context.Context, n *payment.Notification) error {
	run, err := s.execute(ctx, pipeline.Request{
		Open: payment.Opening{
			Store: n.Store, Reference: n.Reference, Gateway: n.Gateway, Account: n.Account, Notification: n,
		},
		Facts: n.Facts, Prepare: newsArrived, Pick: s.pick(pipeline.Confirm), Confirm: s.pick(pipeline.Confirm), Retry: true,
		From: n.From,
	})
	switch {
	case errors.Is(err, payment.ErrDuplicate):
		return nil
	case errors.Is(err, payment.ErrParked):
		s.Log.Warn().Stringer("notification", n.ID).Str("gateway", n.Gateway).Str("account", n.Account).
			Msg("notification fits no transaction; parked")
		return nil
	case errors.Is(err, payment.ErrConflicting):
		return s.reject(ctx, n, "the event was received before with other content")
	case err != nil && run != nil: // it is in the books, and what is left to do is a job's
		if run.Refusal == nil { // which is logged without the words of a shop
			s.Log.Warn().Err(err).Stringer("notification", n.ID).Msg("a notification is taken, and its run is not done")
		}
		return nil
	}
	return err
}

// reject keeps an authentic notification that must not be applied: on record,
// under its content too, for a person to look at.
func (s *Service) reject(ctx context.Context, n *payment.Notification, why string) error {
	hash := sha256.Sum256(n.Raw.Body)
	kept := *n
	kept.EventID += "#" + hex.EncodeToString(hash[:8])
	kept.State, kept.Error, kept.Facts = payment.NotificationRejected, why, nil
	return s.Inbox.KeepRejected(ctx, &kept, payment.Case{
		ID: payment.CaseID(s.IDs.New()), Store: n.Store, Kind: payment.CaseRejectedNotification, Subject: n.ID.String(),
		Detail: "A verified notification was not applied: " + why + ".", OpenedAt: n.ReceivedAt,
	})
}

// Replay applies a kept notification again: parked ones that may fit by now,
// failed ones, or any that an operator names.
func (s *Service) Replay(ctx context.Context, n *payment.Notification) error {
	open := payment.Opening{Store: n.Store, Order: n.Order}
	if n.Order == (payment.OrderID{}) {
		open = payment.Opening{Store: n.Store, Reference: n.Reference, Gateway: n.Gateway, Account: n.Account}
		if n.Reference == "" {
			return s.park(ctx, n)
		}
	}
	again := *n
	again.Tries++
	_, err := s.execute(ctx, pipeline.Request{
		Open: open, Facts: n.Facts, Prepare: newsArrived, Notification: &again,
		Pick: s.pick(pipeline.Confirm), Confirm: s.pick(pipeline.Confirm), Retry: true, From: n.From,
	})
	if errors.Is(err, payment.ErrOrderNotFound) {
		return s.park(ctx, n)
	}
	return err
}

// orphanTries is after how many fruitless matches a person is called.
const orphanTries = 3

// park puts off a notification that fits nothing, ever longer, and opens a case
// once that has gone on for a while.
func (s *Service) park(ctx context.Context, n *payment.Notification) error {
	parked := *n
	parked.Tries++
	parked.DueAt = s.Now().Add(payment.InquiryDelay(n.EventID, parked.Tries))
	var orphan *payment.Case
	if parked.Tries >= orphanTries {
		orphan = &payment.Case{
			ID: payment.CaseID(s.IDs.New()), Store: n.Store, Kind: payment.CaseOrphan, Subject: n.ID.String(),
			Detail: "A verified notification fits no transaction.", OpenedAt: s.Now(),
		}
	}
	return s.Inbox.PostponeNotification(ctx, &parked, orphan)
}

// newsArrived marks the order for the operators' list.
func newsArrived(run *pipeline.Run) error {
	run.Order.NewNotification = true
	return nil
}

func fromNotification(facts []payment.Fact) []payment.Fact {
	for i := range facts {
		facts[i].Source = payment.SourceNotification
	}
	return facts
}

func mayNotify(a *settings.Account, from netip.Addr) bool {
	if len(a.Networks) == 0 {
		return true
	}
	for _, network := range a.Networks {
		if network.Contains(from.Unmap()) {
			return true
		}
	}
	return false
}

func receipt(g gateways.Gateway) Receipt {
	if a, ok := g.(gateways.Acknowledger); ok {
		contentType, body := a.Acknowledge()
		return Receipt{ContentType: contentType, Body: body}
	}
	return Receipt{}
}
