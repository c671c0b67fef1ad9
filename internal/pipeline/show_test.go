package pipeline_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/pipeline"
)

// shownStep is a step that does nothing, and branches where branches says so.
type shownStep struct {
	name     string
	branches []string
}

func (s shownStep) Name() string                { return s.name }
func (s *shownStep) Do(*pipeline.Run) error     { return nil }
func (s *shownStep) Branches() []string         { return s.branches }
func step(name string, to ...string) *shownStep { return &shownStep{name: name, branches: to} }

func shownSet(t *testing.T) pipeline.Set {
	t.Helper()
	library, err := pipeline.NewLibrary(step("fork", "paid", "end"), step("ship-it"), step("tell"), step("save"))
	require.NoError(t, err)
	set, err := pipeline.Compile(pipeline.Definitions{
		"end":            {Name: "end"},
		"paid":           {Name: "paid", Steps: pipeline.Named("ship-it", "tell")},
		pipeline.Confirm: {Name: pipeline.Confirm, Pre: pipeline.Named("tell"), Post: pipeline.Named("fork", "save")},
	}, library)
	require.NoError(t, err)
	return set
}

func TestAPipelineIsWrittenAsItsLists(t *testing.T) {
	t.Parallel()
	set := shownSet(t)
	require.Equal(t, "confirm ("+set["confirm"].Version+`)
  pre    tell
  steps  –
  post   fork, save
         fork → paid
         fork → end
`, set["confirm"].Text())
}

func TestAPipelineIsDrawnWithAllThatItBranchesTo(t *testing.T) {
	t.Parallel()
	require.Equal(t, `flowchart LR
  subgraph p_confirm["confirm"]
    p_confirm_tell["pre: tell"]
    p_confirm_fork["post: fork"]
    p_confirm_tell --> p_confirm_fork
    p_confirm_save["post: save"]
    p_confirm_fork --> p_confirm_save
  end
  subgraph p_confirm_paid["paid"]
    p_confirm_paid_ship_it["ship-it"]
    p_confirm_paid_tell["tell"]
    p_confirm_paid_ship_it --> p_confirm_paid_tell
  end
  p_confirm_fork -. "paid" .-> p_confirm_paid_ship_it
  subgraph p_confirm_end["end"]
    p_confirm_end_nothing["nothing"]
  end
  p_confirm_fork -. "end" .-> p_confirm_end_nothing
`, shownSet(t)["confirm"].Mermaid())
}

func TestPipelinesAreShownInTheOrderInWhichAnOrderMeetsThem(t *testing.T) {
	t.Parallel()
	var names []string
	for _, p := range shownSet(t).Sorted() {
		names = append(names, p.Name)
	}
	require.Equal(t, []string{"confirm", "end", "paid"}, names)
}

func TestWhatSettingsSayOfAStepStandsBelowItsList(t *testing.T) {
	t.Parallel()
	library, err := pipeline.NewLibrary(step("tell"), step("save"))
	require.NoError(t, err)
	set, err := pipeline.Compile(pipeline.Definitions{pipeline.Confirm: {Name: pipeline.Confirm, Steps: []pipeline.Use{
		{Name: "tell", When: rule(`order.currency == "EUR"`)}, {Name: "again", Step: "tell", Config: `{text: "a, b"}`}, {Name: "save"},
	}}}, library)
	require.NoError(t, err)
	p := set[pipeline.Confirm]
	require.Equal(t, "confirm ("+p.Version+`)
  pre    –
  steps  tell, again, save
         tell: when order.currency == "EUR"
         again: tell with {text: "a, b"}
  post   –
`, p.Text())
	require.Contains(t, p.Mermaid(), `p_confirm_tell["tell when order.currency == #quot;EUR#quot;"]`)
	require.Contains(t, p.Mermaid(), `p_confirm_again["again (tell)"]`)
}
