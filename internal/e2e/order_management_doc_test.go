package e2e_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Every command of the page is run as it stands there, against the real program,
// and prints what the page says.
func TestThePageAboutOrderManagementWorksWordForWord(t *testing.T) {
	t.Parallel()
	var definitions string
	var pieces []shown
	for _, m := range fence.FindAllStringSubmatch(page(t, "order-management.md"), -1) {
		switch {
		case m[1] == "sh" && definitions == "":
			definitions = m[2]
		case m[1] == "sh":
			pieces = append(pieces, shown{script: m[2]})
		case m[1] == "text":
			last := &pieces[len(pieces)-1]
			last.results = strings.Split(strings.TrimSpace(m[2]), "\n")
		}
	}
	require.Greater(t, len(pieces), 7)
	check(t, newDev(t), t.TempDir(), definitions, pieces)
}
