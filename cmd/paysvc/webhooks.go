package main

import (
	"time"

	"github.com/paysvc/paysvc/internal/api"
	"github.com/paysvc/paysvc/internal/jobs"
	"github.com/paysvc/paysvc/internal/outbound"
)

// out is what events and commands are delivered with.
func (s *service) out(c *config) jobs.Out {
	s.outbound = outbound.New(outbound.Config{Allowed: c.outbound, Now: time.Now})
	return jobs.Out{
		Books: s.store, Commands: s.store, Poster: s.outbound, Secrets: c.secrets, Storefronts: s.storefronts, Lent: s.store.Lent,
	}
}

// storefronts are the stores' own systems that the settings in force name.
func (s *service) storefronts() map[string]jobs.Storefront {
	all := map[string]jobs.Storefront{}
	for name, effects := range s.moments.Storefronts() {
		front := jobs.Storefront{URL: effects.URL, Kinds: effects.Storefront}
		for _, secret := range effects.Secrets {
			front.Secrets = append(front.Secrets, secret.Reveal())
		}
		all[name] = front
	}
	return all
}

// webhooks is what the API makes endpoints with.
func (s *service) webhooks(c *config) api.Webhooks {
	return api.Webhooks{Secrets: c.secrets, CheckURL: s.outbound.CheckURL, Kick: s.jobs.Kick}
}
