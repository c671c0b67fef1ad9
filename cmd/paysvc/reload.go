package main

import (
	"context"
	"errors"
	"os"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"github.com/paysvc/paysvc/internal/settings"
)

// reloader puts the settings in force that stand in the file by now.
type reloader struct {
	load   func() (*settings.Settings, error)
	reload func(*settings.Settings) error
	// record writes into the audit which settings came into force.
	record func(ctx context.Context, hash, why string) error
	log    zerolog.Logger
	hash   string // of the settings in force
	// unrecorded are the hashes of settings that came into force and are not in the
	// audit yet.
	unrecorded []string
}

// recordEvery is how often the audit is tried again that could not be written.
const recordEvery = 5 * time.Second

// run reloads whenever somebody asks, one after the other, until ctx ends. Whoever
// asks while a reload is running gets another one after it.
func (r *reloader) run(ctx context.Context, asked <-chan os.Signal) {
	retry := time.NewTicker(recordEvery)
	defer retry.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-asked:
			r.once()
		case <-retry.C:
		}
		r.recordAll(ctx)
	}
}

// recordAll writes down what came into force. What cannot be written is tried again:
// the settings hold all the same.
func (r *reloader) recordAll(ctx context.Context) {
	for len(r.unrecorded) > 0 {
		if err := r.record(ctx, r.unrecorded[0], "reload"); err != nil {
			r.log.Error().Err(err).Str("settings", r.unrecorded[0]).Msg("settings are in force and not in the audit yet; it is tried again")
			return
		}
		r.unrecorded = r.unrecorded[1:]
	}
}

// once reads and checks the settings. Whatever is wrong with them, those in force
// stay so: the service goes on as if nobody had asked.
func (r *reloader) once() {
	loaded, err := r.load()
	if err == nil {
		err = r.reload(loaded)
	}
	if err != nil {
		r.log.Error().Str("settings", r.hash).Strs("problems", problemsOf(err)).Msg("settings not reloaded; the old ones stay in force")
		return
	}
	r.log.Info().Str("before", r.hash).Str("settings", loaded.Hash).Int("stores", len(loaded.Stores)).Msg("settings reloaded")
	r.hash, r.unrecorded = loaded.Hash, append(r.unrecorded, loaded.Hash)
}

// problemsOf lists what is wrong, one line each. No value of the settings is in it.
func problemsOf(err error) []string {
	problems, ok := errors.AsType[settings.Problems](err)
	if !ok {
		return strings.Split(err.Error(), "\n")
	}
	lines := make([]string, len(problems))
	for i, p := range problems {
		lines[i] = p.String()
	}
	return lines
}
