package settings

import (
	_ "embed"
	"slices"
)

//go:embed demo.yaml
var demo []byte

// Demo returns the settings of the store demo, which `paysvc dev` serves: every
// method of the sandbox PSP, an invoice, gift cards, and orders that cost nothing.
func Demo() []byte { return slices.Clone(demo) }
