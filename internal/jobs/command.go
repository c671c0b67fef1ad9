package jobs

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/paysvc/paysvc/internal/payment"
)

// commandLost is when an effect is looked at again whose command is gone without
// a trace. It is later than the last try of a delivery.
const commandLost = 4 * 24 * time.Hour

// storefronts are the stores that carry out effects themselves.
func (j *Jobs) storefronts() map[string]Storefront {
	if j.Out.Books == nil || j.Out.Storefronts == nil {
		return nil
	}
	return j.Out.Storefronts()
}

// command hands an effect to the store's own system, and tells whether it is for
// that to carry out. The delivery reports what became of it.
func (j *Jobs) command(ctx context.Context, e payment.DueEffect) (bool, error) {
	front, ok := j.storefronts()[e.Store]
	if !ok || !slices.Contains(front.Kinds, e.Kind) {
		return false, nil
	}
	if err := j.Out.Commands.StageCommand(ctx, e.Order, e.Key, j.Now()); err != nil {
		return true, err
	}
	j.kickPump()
	return true, j.Effects.PostponeEffect(ctx, e.Order, e.Key, j.Now().Add(commandLost))
}

// synced remembers what the books know of the settings.
type synced struct {
	mu    sync.Mutex
	once  bool
	types map[string][]string // by store
}

// syncStorefronts tells the books which events are commands, whenever the
// settings say something new.
func (j *Jobs) syncStorefronts(ctx context.Context) error {
	wanted := map[string][]string{}
	for store, front := range j.storefronts() {
		wanted[store] = payment.CommandTypes(front.Kinds...)
	}
	j.synced.mu.Lock()
	defer j.synced.mu.Unlock()
	if j.synced.once && maps.EqualFunc(j.synced.types, wanted, slices.Equal) {
		return nil
	}
	known, err := j.Out.Commands.Storefronts(ctx)
	if err != nil {
		return err
	}
	for _, store := range known {
		if len(wanted[store]) == 0 {
			err = errors.Join(err, j.Out.Commands.SetStorefront(ctx, store, nil, j.Now()))
		}
	}
	for store, types := range wanted {
		err = errors.Join(err, j.Out.Commands.SetStorefront(ctx, store, types, j.Now()))
	}
	if err == nil {
		j.synced.once, j.synced.types = true, wanted
	}
	return err
}
