package when

import (
	"maps"
	"slices"
)

// Names returns every word of the vocabulary.
func Names() []string { return slices.Collect(maps.Keys(names)) }
