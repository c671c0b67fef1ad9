package moments

import "github.com/paysvc/paysvc/internal/settings"

// Storefronts are the effects that stores carry out themselves, by store.
func (s *Service) Storefronts() map[string]settings.Effects {
	all := map[string]settings.Effects{}
	for name, store := range s.shops.Load().settings.Stores {
		if len(store.Effects.Storefront) > 0 {
			all[name] = store.Effects
		}
	}
	return all
}
