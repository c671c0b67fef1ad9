package steps

import "github.com/paysvc/paysvc/internal/pipeline"

// saveOrder makes what earlier steps changed on the order last. A pipeline
// without it cannot change an order, whatever its other steps do.
type saveOrder struct{}

// SavesOrder implements pipeline.Saver.
func (saveOrder) SavesOrder() {}

func (saveOrder) Name() string { return "save-order" }

func (saveOrder) Do(run *pipeline.Run) error {
	run.Order.Save()
	return nil
}
