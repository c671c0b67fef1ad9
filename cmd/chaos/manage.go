package main

import (
	"context"
)

// abilities are the parts of the API that this service has.
type abilities struct {
	manage bool // capture, refund and void
}

// manage is what a shop does with a payment later.
func (s *shopper) manage(_ context.Context, _ *purchase) {}
