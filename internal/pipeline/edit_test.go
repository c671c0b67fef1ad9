package pipeline_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/pipeline"
)

func editable() pipeline.Definitions {
	return pipeline.Definitions{
		"main":  define("main", []string{"a", "b"}, []string{"c", "d"}, []string{"e"}),
		"other": define("other", nil, []string{"a"}, nil),
	}
}

func TestEditsOfAPipeline(t *testing.T) {
	t.Parallel()
	type lists struct{ pre, steps, post []string }
	for name, c := range map[string]struct {
		edits []pipeline.Edit
		want  lists
	}{
		"insert before": {[]pipeline.Edit{{Op: pipeline.InsertBefore, Step: pipeline.Use{Name: "x"}, Target: "b"}}, lists{[]string{"a", "x", "b"}, []string{"c", "d"}, []string{"e"}}},
		"insert after":  {[]pipeline.Edit{{Op: pipeline.InsertAfter, Step: pipeline.Use{Name: "x"}, Target: "e"}}, lists{[]string{"a", "b"}, []string{"c", "d"}, []string{"e", "x"}}},
		"append to pre": {[]pipeline.Edit{{Op: pipeline.Append, Step: pipeline.Use{Name: "x"}, List: pipeline.Pre}}, lists{[]string{"a", "b", "x"}, []string{"c", "d"}, []string{"e"}}},
		"append":        {[]pipeline.Edit{{Op: pipeline.Append, Step: pipeline.Use{Name: "x"}}}, lists{[]string{"a", "b"}, []string{"c", "d", "x"}, []string{"e"}}},
		"to steps":      {[]pipeline.Edit{{Op: pipeline.Append, Step: pipeline.Use{Name: "x"}, List: pipeline.Main}}, lists{[]string{"a", "b"}, []string{"c", "d", "x"}, []string{"e"}}},
		"to post":       {[]pipeline.Edit{{Op: pipeline.Append, Step: pipeline.Use{Name: "x"}, List: pipeline.Post}}, lists{[]string{"a", "b"}, []string{"c", "d"}, []string{"e", "x"}}},
		"remove":        {[]pipeline.Edit{{Op: pipeline.Remove, Step: pipeline.Use{Name: "c"}}}, lists{[]string{"a", "b"}, []string{"d"}, []string{"e"}}},
		"remove last":   {[]pipeline.Edit{{Op: pipeline.Remove, Step: pipeline.Use{Name: "e"}}}, lists{[]string{"a", "b"}, []string{"c", "d"}, []string{}}},
		"move within":   {[]pipeline.Edit{{Op: pipeline.MoveBefore, Step: pipeline.Use{Name: "d"}, Target: "c"}}, lists{[]string{"a", "b"}, []string{"d", "c"}, []string{"e"}}},
		"move across":   {[]pipeline.Edit{{Op: pipeline.MoveBefore, Step: pipeline.Use{Name: "a"}, Target: "e"}}, lists{[]string{"b"}, []string{"c", "d"}, []string{"a", "e"}}},
		"replace":       {[]pipeline.Edit{{Op: pipeline.Replace, Step: pipeline.Use{Name: "x"}, Target: "d"}}, lists{[]string{"a", "b"}, []string{"c", "x"}, []string{"e"}}},
		"replace all":   {[]pipeline.Edit{{Op: pipeline.ReplaceAll, With: define("z", nil, []string{"x"}, nil)}}, lists{nil, []string{"x"}, nil}},
		"one on another": {[]pipeline.Edit{
			{Op: pipeline.InsertAfter, Step: pipeline.Use{Name: "x"}, Target: "a"}, {Op: pipeline.Replace, Step: pipeline.Use{Name: "y"}, Target: "x"}, {Op: pipeline.Remove, Step: pipeline.Use{Name: "b"}},
		}, lists{[]string{"a", "y"}, []string{"c", "d"}, []string{"e"}}},
		"nothing": {nil, lists{[]string{"a", "b"}, []string{"c", "d"}, []string{"e"}}},
	} {
		for i := range c.edits {
			c.edits[i].Pipeline = "main"
		}
		before := editable()
		after, err := before.Apply(c.edits)
		require.NoError(t, err, name)
		require.Equal(t, define("main", c.want.pre, c.want.steps, c.want.post), after["main"], name)
		require.Equal(t, editable()["other"], after["other"], name)
		require.Equal(t, editable(), before, "%s: what was edited stays as it was", name)
	}
}

func TestAnEditThatDoesNotFitIsNamed(t *testing.T) {
	t.Parallel()
	for want, e := range map[string]pipeline.Edit{
		`edit 2: there is no pipeline "gone"`:                         {Pipeline: "gone", Op: pipeline.Append, Step: pipeline.Use{Name: "x"}},
		`pipeline "main": edit 2: it has no step "z"`:                 {Pipeline: "main", Op: pipeline.InsertBefore, Step: pipeline.Use{Name: "x"}, Target: "z"},
		`pipeline "main": edit 2: it has no step "y"`:                 {Pipeline: "main", Op: pipeline.InsertAfter, Step: pipeline.Use{Name: "x"}, Target: "y"},
		`pipeline "main": edit 2: it has no step "w"`:                 {Pipeline: "main", Op: pipeline.Remove, Step: pipeline.Use{Name: "w"}},
		`pipeline "main": edit 2: it has no step "v"`:                 {Pipeline: "main", Op: pipeline.Replace, Step: pipeline.Use{Name: "x"}, Target: "v"},
		`pipeline "main": edit 2: it has no step "u"`:                 {Pipeline: "main", Op: pipeline.MoveBefore, Step: pipeline.Use{Name: "u"}, Target: "a"},
		`pipeline "main": edit 2: it has no step "t"`:                 {Pipeline: "main", Op: pipeline.MoveBefore, Step: pipeline.Use{Name: "a"}, Target: "t"},
		`pipeline "main": edit 2: step "a" cannot be moved to itself`: {Pipeline: "main", Op: pipeline.MoveBefore, Step: pipeline.Use{Name: "a"}, Target: "a"},
		`pipeline "main": edit 2: there is no list "middle"`:          {Pipeline: "main", Op: pipeline.Append, Step: pipeline.Use{Name: "x"}, List: "middle"},
		`pipeline "main": edit 2: there is no operation ""`:           {Pipeline: "main", Step: pipeline.Use{Name: "x"}},
	} {
		before := editable()
		after, err := before.Apply([]pipeline.Edit{{Pipeline: "other", Op: pipeline.Append, Step: pipeline.Use{Name: "x"}}, e})
		require.EqualError(t, err, want)
		require.Nil(t, after)
		require.Equal(t, editable(), before)
	}
}

// Edits are made again for each method, and again when settings are reloaded.
func TestEditsMayBeMadeAgain(t *testing.T) {
	t.Parallel()
	edits := []pipeline.Edit{
		{Pipeline: "main", Op: pipeline.ReplaceAll, With: define("", []string{"x"}, []string{"y", "z", "w"}, nil)},
		{Pipeline: "main", Op: pipeline.Remove, Step: pipeline.Use{Name: "y"}},
		{Pipeline: "main", Op: pipeline.Replace, Step: pipeline.Use{Name: "v"}, Target: "x"},
	}
	once, err := editable().Apply(edits)
	require.NoError(t, err)
	again, err := editable().Apply(edits)
	require.NoError(t, err)
	require.Equal(t, once, again)
	require.Equal(t, define("main", []string{"v"}, []string{"z", "w"}, nil), again["main"])
}

func TestAStepThatStandsThereGetsACondition(t *testing.T) {
	t.Parallel()
	at := pipeline.Position{Line: 3, Column: 5}
	before := editable()
	configured := pipeline.Use{Name: "ask", Step: "http", Config: "{}", At: pipeline.Position{Line: 1, Column: 1}}
	after, err := before.Apply([]pipeline.Edit{
		{Pipeline: "main", Op: pipeline.Replace, Step: configured, Target: "c"},
		{Pipeline: "main", Op: pipeline.ChangeWhen, Step: pipeline.Use{When: rule("big")}, Target: "ask", At: at},
		{Pipeline: "main", Op: pipeline.ChangeWhen, Step: pipeline.Use{When: rule("small")}, Target: "d"},
	})
	require.NoError(t, err)
	require.Equal(t, []pipeline.Use{
		{Name: "ask", Step: "http", Config: "{}", When: rule("big"), At: at}, {Name: "d", When: rule("small")},
	}, after["main"].Steps)
	require.Equal(t, editable(), before)
}

// rule is a condition that is only looked at.
type rule string

func (rule) Holds(*pipeline.Run) (bool, error) { return true, nil }
func (r rule) String() string                  { return string(r) }
