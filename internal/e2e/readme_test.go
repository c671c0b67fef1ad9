package e2e_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// shown is a piece of the README: a script, and what the text behind it says
// that it prints.
type shown struct {
	script  string
	results []string
}

// walkthrough reads the scripts of the README's walk-through, word for word.
func walkthrough(t *testing.T) []shown {
	t.Helper()
	text, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	_, walk, found := strings.Cut(string(text), "\n## A walk through\n")
	require.True(t, found, "the README has a walk-through")
	walk, _, _ = strings.Cut(walk, "\n## ")
	fence := regexp.MustCompile("(?s)```(\\w*)\n(.*?)```|`(\"[^`\n]+\":[^`\n]+)`")
	var pieces []shown
	for _, m := range fence.FindAllStringSubmatch(walk, -1) {
		switch {
		case m[1] == "sh":
			pieces = append(pieces, shown{script: m[2]})
		case m[3] != "":
			last := &pieces[len(pieces)-1]
			last.results = append(last.results, m[3])
		default:
			last := &pieces[len(pieces)-1]
			last.results = append(last.results, strings.Split(strings.TrimSpace(m[2]), "\n")...)
		}
	}
	require.Greater(t, len(pieces), 5)
	return pieces
}

func TestTheReadmesWalkThroughWorksWordForWord(t *testing.T) {
	t.Parallel()
	d := newDev(t)
	const documented = "http://127.0.0.1:8080"
	var script strings.Builder
	script.WriteString("set -eu\n")
	pieces := walkthrough(t)
	for _, p := range pieces {
		script.WriteString(strings.ReplaceAll(p.script, documented, d.base) + "printf '\\036'\n")
	}
	printed := strings.Split(shell(t, script.String()), "\036")
	require.Len(t, printed, len(pieces)+1)
	for i, p := range pieces {
		for _, result := range p.results {
			pattern := regexp.QuoteMeta(strings.ReplaceAll(result, documented, d.base))
			pattern = strings.ReplaceAll(pattern, "…", `[^"]*`)
			require.Regexp(t, pattern, printed[i], "after:\n%s", p.script)
		}
	}
	eventually(t, "the order mail is a file", func() bool {
		mails, err := os.ReadDir(d.folder + "/mails")
		return err == nil && len(mails) == 1
	})
	require.Len(t, d.charges(), 2, "the lamp and the vase")
}
