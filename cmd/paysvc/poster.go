package main

import (
	"context"
	"time"

	"github.com/paysvc/paysvc/internal/outbound"
	"github.com/paysvc/paysvc/internal/pipeline/steps"
)

// stepCallMax bounds a call of a step to a URL of its store; the step's own
// setting is shorter or as long.
const stepCallMax = 30 * time.Second

// poster is how steps call URLs of stores.
type poster struct{ *outbound.Client }

func newPoster(c *config) poster {
	return poster{outbound.New(outbound.Config{Allowed: c.outbound, Timeout: stepCallMax, Now: time.Now})}
}

// CheckSecret implements steps.Poster.
func (poster) CheckSecret(secret string) error { return outbound.CheckSecret(secret) }

// Post implements steps.Poster.
func (p poster) Post(ctx context.Context, m steps.Message) (steps.Reply, error) {
	a, err := p.Client.Post(ctx, outbound.Message{
		ID: m.ID, URL: m.URL, Secrets: []string{m.Secret.Reveal()}, Body: m.Body, Timeout: m.Timeout,
	})
	return steps.Reply{Status: a.Status, Body: a.Body, Cut: a.Cut}, err
}
