package main

import (
	"github.com/paysvc/paysvc/internal/api"
	"github.com/paysvc/paysvc/internal/gateways/giftcard"
	"github.com/paysvc/paysvc/internal/jobs"
	"github.com/paysvc/paysvc/internal/moments"
	"github.com/paysvc/paysvc/internal/store"
)

// apiBooks names what the lists of the API are read from.
func apiBooks(s *store.Store, cards *giftcard.Guard, m *moments.Service, j *jobs.Jobs) api.Books {
	return api.Books{
		Transactions: s, Notes: s, Timeline: s, Attributes: s, CheckoutState: s.CheckoutState(), Events: s, Endpoints: s, Deliveries: s, Runs: s, Notifications: s, News: s, Cases: s,
		Stock: s, PromotionCodes: s, Baskets: s, GiftCards: giftCards{s, cards}, Audits: s, Replays: m, Pipelines: m, Jobs: j,
	}
}
