package payment

import "time"

// Claim is the right to carry out a request once: an idempotency key. It is
// taken in the same commit as the first thing that the request does.
type Claim struct {
	Store     string
	Operation string // the route, e.g. "POST /v1/orders/{id}/pay"
	Key       string
	// Fingerprint is a hash of the request; another one under the same key is
	// another request, and refused.
	Fingerprint []byte
	At          time.Time
}

// Reply is an answer as it goes over the wire, kept so that a repeated request
// gets it again byte for byte.
type Reply struct {
	Status int
	Body   []byte
	// Final tells that the answer is kept. One that reports an unknown outcome is
	// not: a repeat reports what is known by then.
	Final bool
	// Superseded is set by the book where a repeat was answered meanwhile, from what
	// was known: that answer is kept, and this one is not.
	Superseded bool
}

// Claimed is returned, as an error, to a request whose key was taken before.
type Claimed struct {
	Fingerprint []byte
	Reply       *Reply // nil while the first request runs, or when it was not final
	Order       OrderID
	Payment     int
	Run         int // the run of the first request, 0 while there is none
	// Finished tells that the first request ended without a final answer.
	Finished bool
	// Ended tells that its run failed and nobody goes on with it: what it has not
	// announced by now it never will.
	Ended bool
	At    time.Time
}

// Error implements error.
func (*Claimed) Error() string { return "the idempotency key was used before" }
