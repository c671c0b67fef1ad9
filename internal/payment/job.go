package payment

import (
	"strconv"
	"strings"
	"time"
)

// JobID identifies a job of the background work: "job_…".
type JobID int64

func (id JobID) String() string { return "job_" + strconv.FormatInt(int64(id), 10) }

// ParseJobID reads what JobID.String wrote.
func ParseJobID(s string) (JobID, error) {
	text, ok := strings.CutPrefix(s, "job_")
	id, err := strconv.ParseInt(text, 10, 64)
	if !ok || err != nil || id < 1 || JobID(id).String() != s {
		return 0, NotFound("a job of this id")
	}
	return JobID(id), nil
}

// JobState says where a job is.
type JobState string

// The states of a job that is not done.
const (
	JobWaiting JobState = "waiting" // to be worked, for the first time or again
	JobRunning JobState = "running"
	JobParked  JobState = "parked" // given up; an operator may have it tried again
)

// Job is a piece of background work of a store.
type Job struct {
	ID    JobID
	Kind  string
	State JobState
	Order OrderID // zero when it is about none
	Tries int
	// Error is why the last try failed, without personal data; "" while none has.
	Error string
	// At is when it was parked or begun, or is to be worked next.
	At time.Time
}
