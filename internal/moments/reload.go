package moments

import (
	"maps"
	"slices"

	"github.com/paysvc/paysvc/internal/pipeline"
	"github.com/paysvc/paysvc/internal/pipeline/steps"
	"github.com/paysvc/paysvc/internal/settings"
)

// PipelineSettings is what settings may say of pipelines, with the configurable
// steps that there are.
func PipelineSettings(makers []pipeline.Maker) settings.Pipelines {
	p := settings.Pipelines{
		Names: slices.Sorted(maps.Keys(steps.Defaults())), Makers: makers, Check: checkPipelines,
	}
	if library, err := steps.Library(steps.Deps{}); err == nil { // otherwise Check says so
		p.Steps = slices.Sorted(maps.Keys(library))
	}
	return p
}

// Reload puts other settings in force, all at once. Settings whose pipelines do
// not compile change nothing. Runs that are under way go on with the pipelines
// that they began with. Accounts, methods and stores that are gone are kept for
// what was begun with them, until the process ends; nothing is begun with them any
// more. Of two reloads at once, the one that returns last is in force.
func (s *Service) Reload(all *settings.Settings) error {
	compiled, err := s.compile(all)
	if err != nil {
		return err
	}
	s.reloading.Lock()
	defer s.reloading.Unlock()
	before := s.shops.Load()
	for _, gone := range compiled.inherit(before) {
		s.Log.Warn().Str("store", gone.Store).Str("gateway", gone.GatewayName).Str("account", gone.Name).
			Msg("the settings no longer have this account; what was begun with it is finished with it until the service restarts")
	}
	s.shops.Store(compiled)
	return nil
}

// inherit takes over what may still be needed of the settings that were in force
// before, and returns the accounts that were in them and are not any more.
func (c *shops) inherit(before *shops) (gone []*settings.Account) {
	fill(c.sets, before.sets)
	fill(c.versions, before.versions)
	for store, read := range before.attributes {
		c.attributes[store] = c.attributes[store] || read
	}
	for _, store := range slices.Sorted(maps.Keys(before.settings.Stores)) {
		for _, name := range slices.Sorted(maps.Keys(before.settings.Stores[store].Accounts)) {
			if a := before.settings.Account(store, name); !c.has(a) {
				gone = append(gone, a)
			}
		}
	}
	for _, a := range append(slices.Clone(before.retired), gone...) {
		if !c.has(a) {
			c.retired = append(c.retired, a)
		}
	}
	return gone
}

// has tells whether payments that were begun with an account find it in these
// settings.
func (c *shops) has(a *settings.Account) bool {
	now := c.settings.Account(a.Store, a.Name)
	return now != nil && now.GatewayName == a.GatewayName && now.Mode == a.Mode
}

// fill adds what m does not have.
func fill[K comparable, V any](m, from map[K]V) {
	for key, value := range from {
		if _, ok := m[key]; !ok {
			m[key] = value
		}
	}
}
