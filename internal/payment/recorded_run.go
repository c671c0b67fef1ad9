package payment

// RecordedRun is a run as the journal has it, whichever order it is of.
type RecordedRun struct {
	ID    RunID
	Store string
	RunRecord
}

// RunFilter selects runs; zero fields select all.
type RunFilter struct {
	Store    string
	Pipeline string
}
