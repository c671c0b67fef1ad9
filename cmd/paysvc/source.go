package main

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/gateways/catalog"
	"github.com/paysvc/paysvc/internal/gateways/giftcard"
	"github.com/paysvc/paysvc/internal/moments"
	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline/steps"
	"github.com/paysvc/paysvc/internal/settings"
)

// source is where the settings come from, at the start and at every reload.
type source struct {
	// name is what problems call the file.
	name string
	// read reads it.
	read func() ([]byte, error)
	// lookup finds the environment variables that it refers to, and readFile reads
	// the files.
	lookup    func(string) (string, bool)
	readFile  func(string) ([]byte, error)
	transport func(gateway, account string) http.RoundTripper // nil for the network
	poster    steps.Poster
	log       zerolog.Logger
	// cards is where the gift cards are, once the service has opened its database.
	cards *atomic.Pointer[giftcard.Guard]
}

// file is the source of a settings file.
func file(path string, c *config, env environment) source {
	return source{
		name: path, lookup: env.lookup, readFile: env.readFile, poster: newPoster(c), log: c.logger(env.err),
		cards: &atomic.Pointer[giftcard.Guard]{},
		read: func() ([]byte, error) {
			text, err := env.readFile(path)
			if err != nil {
				return nil, fmt.Errorf("PAYSVC_SETTINGS: %w", err)
			}
			return text, nil
		},
	}
}

// giftCards is nil while there is no database: a command that only checks settings
// opens none.
func (s source) giftCards() gateways.GiftCards {
	if cards := s.cards.Load(); cards != nil {
		return cards
	}
	return nil // not cards: a nil pointer in an interface is not nil
}

// load reads the settings, checks all of them and opens their gateways.
func (s source) load() (*settings.Settings, error) {
	text, err := s.read()
	if err != nil {
		return nil, err
	}
	loaded, err := settings.Load(s.name, text, settings.Deps{
		Open: func(gateway string, mode payment.Mode, account string, decode func(any) error) (gateways.Gateway, error) {
			return catalog.Open(gateway, gateways.Deps{
				Account: account, Mode: mode, Now: time.Now, Log: s.log, Transport: s.transport,
				GiftCards: s.giftCards,
			}, decode)
		},
		LookupEnv: s.lookup, ReadFile: s.readFile, CheckURL: s.poster.CheckURL, CheckSecret: s.poster.CheckSecret,
		Pipelines: moments.PipelineSettings(steps.Makers(steps.MakerDeps{Poster: s.poster})),
	})
	if err != nil {
		return nil, fmt.Errorf("settings:\n%w", err)
	}
	return loaded, nil
}
