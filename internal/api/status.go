package api

import (
	"bytes"
	"context"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/paysvc/paysvc/internal/api/httpkit"
	"github.com/paysvc/paysvc/internal/payment"
)

// The rhythm of a status stream, and its end.
const (
	statusPoll   = 500 * time.Millisecond
	statusBeat   = 15 * time.Second
	statusMaxAge = 15 * time.Minute
)

type statusView struct {
	Status        string            `json:"status" enum:"pending,processing,complete,cancelled"`
	PaymentStatus string            `json:"payment_status" enum:"pending,authorized,partially_paid,paid,partially_refunded,refunded,voided"`
	NextAction    *nextActionView   `json:"next_action"`
	UpdatedAt     httpkit.Timestamp `json:"updated_at"`
}

func viewStatus(s payment.Standing) statusView {
	return statusView{
		Status: string(s.Status), PaymentStatus: string(s.PaymentStatus), NextAction: viewNextAction(s.NextAction),
		UpdatedAt: httpkit.NewTimestamp(s.UpdatedAt),
	}
}

type statusOutput struct{ Body statusView }

func (a *API) getStatus(ctx context.Context, in *OrderPath) (*statusOutput, error) {
	standing, err := a.standing(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &statusOutput{Body: viewStatus(standing)}, nil
}

func (a *API) standing(ctx context.Context, id string) (payment.Standing, error) {
	parsed, err := payment.ParseOrderID(id)
	if err != nil {
		return payment.Standing{}, err
	}
	return a.readStatus(ctx, parsed)
}

func (a *API) streamStatus(ctx context.Context, in *OrderPath) (*huma.StreamResponse, error) {
	first, err := a.standing(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return httpkit.NewStream(func(ctx context.Context, s *httpkit.Stream) error {
		return a.follow(ctx, s, in.ID, first)
	}), nil
}

// follow sends where the order stands, and again whenever that changes.
func (a *API) follow(ctx context.Context, s *httpkit.Stream, id string, standing payment.Standing) error {
	ctx, cancel := context.WithTimeout(ctx, statusMaxAge)
	defer cancel()
	poll, beat := time.NewTicker(statusPoll), time.NewTicker(statusBeat)
	defer poll.Stop()
	defer beat.Stop()
	var sent []byte
	for {
		body, err := httpkit.EncodeJSON(viewStatus(standing))
		if err != nil {
			return err
		}
		if !bytes.Equal(body, sent) {
			if err := s.Send(httpkit.Event{Name: "status", Data: body}); err != nil {
				return err
			}
			sent = body
		}
		select {
		case <-ctx.Done():
			return nil
		case <-a.Draining:
			return nil // the page connects again, to another instance
		case <-beat.C:
			err = s.Heartbeat()
		case <-poll.C:
			standing, err = a.standing(ctx, id)
		}
		if err != nil {
			return err
		}
	}
}
