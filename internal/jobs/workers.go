package jobs

import "github.com/riverqueue/river"

// workers lists every kind of job.
func (j *Jobs) workers() *river.Workers {
	w := river.NewWorkers()
	river.AddWorker(w, j.sweepKind())
	river.AddWorker(w, j.mailKind())
	river.AddWorker(w, j.deliverKind())
	return w
}
