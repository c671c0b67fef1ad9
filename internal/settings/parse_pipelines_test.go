package settings_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/pipeline"
	"github.com/paysvc/paysvc/internal/settings"
)

// named is a step of a test.
type named struct{ name, secret string }

func (s named) Name() string         { return s.name }
func (named) Do(*pipeline.Run) error { return nil }

// triable are two pipelines, and steps for them.
func triable() settings.Pipelines {
	return settings.Pipelines{
		Names: []string{"confirm", "cancel"}, Steps: []string{"save-order"},
		Makers: []pipeline.Maker{{Name: "http", Make: func(decode func(any) error) (pipeline.Step, error) {
			var c struct{ Secret gateways.Secret }
			err := decode(&c)
			return named{name: "http", secret: c.Secret.Reveal()}, err
		}}},
	}
}

func fits([]pipeline.Edit) error { return nil }

func TestEditsOfPipelinesAreReadOfJSONToo(t *testing.T) {
	t.Parallel()
	for _, source := range []string{
		"confirm:\n  - append: http\n    to: post\n    when: order.total >= 100\n    with: {secret: {env: ANYTHING}}\n",
		`{"confirm":[{"append":"http","to":"post","when":"order.total >= 100","with":{"secret":{"env":"ANYTHING"}}}]}`,
	} {
		edits, err := settings.ParsePipelines([]byte(source), triable(), fits)
		require.NoError(t, err)
		require.Len(t, edits, 1)
		require.Equal(t, pipeline.Append, edits[0].Op)
		require.Equal(t, "order.total >= 100", edits[0].Step.When.String())
		step, ok := edits[0].Step.Configured.(named)
		require.True(t, ok)
		require.NotEmpty(t, step.secret, "a stand-in")
	}
}

// Whoever may try edits must not read the environment and the files of the
// service with them.
func TestReferencesInEditsThatAreTriedAreNotLookedUp(t *testing.T) {
	t.Setenv("PAYSVC_PARSE_PIPELINES_TEST", "from the environment")
	read := func(reference map[string]string) string {
		source, err := json.Marshal(map[string]any{"confirm": []any{map[string]any{
			"append": "http", "with": map[string]any{"secret": reference},
		}}})
		require.NoError(t, err)
		edits, err := settings.ParsePipelines(source, triable(), fits)
		require.NoError(t, err)
		return edits[0].Step.Configured.(named).secret
	}
	one, other := read(map[string]string{"env": "PAYSVC_PARSE_PIPELINES_TEST"}), read(map[string]string{"file": "parse_pipelines.go"})
	require.Equal(t, one, other)
	require.NotContains(t, one, "environment")
}

func TestWhatIsWrongWithEditsNamesTheirPlace(t *testing.T) {
	t.Parallel()
	paths := func(source string, check func([]pipeline.Edit) error) []string {
		t.Helper()
		_, err := settings.ParsePipelines([]byte(source), triable(), check)
		problems, ok := errors.AsType[settings.Problems](err)
		require.True(t, ok, "%v", err)
		var all []string
		for _, p := range problems {
			all = append(all, p.Path)
			require.NotEmpty(t, p.What)
		}
		return all
	}
	require.Equal(t, []string{"confirm[0].when", "cancel[1].with"}, paths(
		`{"confirm":[{"append":"save-order","when":"order.totl > 1"}],"cancel":[{"remove":"x"},{"append":"save-order","with":{"a":1}}]}`, fits))
	require.Equal(t, []string{"confim"}, paths(`{"confim":[]}`, fits))
	require.Equal(t, []string{""}, paths(`[]`, fits))
	require.Equal(t, []string{""}, paths(`{`, fits))
	require.Equal(t, []string{""}, paths(``, fits))

	misfits := func(edits []pipeline.Edit) error {
		return pipeline.Problems{{Pipeline: "confirm", At: edits[0].At, What: "it has no step"}, {What: "of the program"}}
	}
	require.Equal(t, []string{"", "confirm[0]"}, paths(`{"confirm":[{"remove":"x"}]}`, misfits))
	_, err := settings.ParsePipelines([]byte(`{}`), triable(), func([]pipeline.Edit) error { return errors.ErrUnsupported })
	require.ErrorIs(t, err, errors.ErrUnsupported)
}
