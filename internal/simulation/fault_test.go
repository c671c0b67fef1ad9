package simulation

import (
	"math/rand/v2"
	"slices"
	"strings"
)

// fault is something that goes wrong at a gate.
type fault string

// The faults.
const (
	none    fault = ""
	died    fault = "died"    // its instance did, or it was given up
	crashed fault = "crashed" // the instance dies right here

	cutBefore   fault = "cut before"    // the connection to the database breaks before anything is sent
	cutAfter    fault = "cut after"     // and after it was carried out: the answer is lost
	lostCommit  fault = "lost COMMIT"   // the same, of a COMMIT
	stalled     fault = "stalled"       // everything takes a while here
	refused     fault = "refused"       // the PSP does not accept the connection
	lostRequest fault = "lost request"  // it never arrives, and nobody says so
	brokenSend  fault = "broken send"   // it never arrives, and the connection breaks
	zombie      fault = "zombie"        // it arrives once we have given it up
	failedIn    fault = "failed"        // the PSP answers 503, and does nothing
	lostAnswer  fault = "lost answer"   // it was carried out, and nobody says so
	brokenRead  fault = "broken answer" // it was carried out, and the connection breaks
	failedOut   fault = "answered 500"  // it was carried out, and the PSP answers 500
	garbage     fault = "garbage"       // it was carried out, and the answer cannot be read
	lagging     fault = "lagging"       // a question is answered "not found" about what will be there
	unheard     fault = "unheard"       // a notification is lost
	unthanked   fault = "unthanked"     // its acknowledgement is
	late        fault = "late"          // it comes later, after others
	doubled     fault = "doubled"       // it comes twice at once
	hungUp      fault = "hung up"       // a client goes away while its request is carried out
	unanswered  fault = "unanswered"    // the answer to a client is lost

	closed   fault = "closed"       // whoever gets events does not accept the connection
	tooMany  fault = "answered 429" // it wants to be left alone for a while
	broken   fault = "answered 5xx" // it does not like this one, or any
	silence  fault = "silence"      // it does not answer, and did not take the event
	tookIt   fault = "took it"      // it took the event, and its answer is lost
	goneAway fault = "gone"         // it wants no event any more
)

// classOf is the fault class that a fault belongs to: classes are switched on
// and off as a whole.
var classOf = map[fault]string{
	cutBefore: "cuts", cutAfter: "cuts", lostCommit: "commits", stalled: "stalls",
	refused: "refused", lostRequest: "requests", brokenSend: "requests", zombie: "zombies", failedIn: "5xx",
	lostAnswer: "answers", brokenRead: "answers", failedOut: "5xx", garbage: "garbage", lagging: "lagging",
	unheard: "unheard", unthanked: "unthanked", late: "late", doubled: "doubled", hungUp: "clients", unanswered: "clients",
	closed: classReceivers, tooMany: classReceivers, broken: classReceivers, silence: classReceivers, tookIt: classReceivers,
	goneAway: classReceivers,
}

func (f fault) class() string { return classOf[f] }

// Classes that are not of a gate.
const (
	classCrashes = "crashes"
	classForged  = "forged"    // notifications with a bad signature
	classLies    = "lies"      // authentic notifications of another amount or currency
	classOdd     = "scenarios" // the PSP's own misbehaviours
	classFlips   = "flips"     // the PSP approves what it has declined
	classDesk    = "dashboard" // somebody refunds at the PSP's own desk
	classStrange = "strangers" // others charge with our account
)

// classReceivers is what whoever gets events does wrong.
const classReceivers = "receivers"

// classes lists every fault class.
func classes() []string {
	all := []string{classCrashes, classForged, classLies, classOdd, classFlips, classDesk, classStrange}
	for _, class := range classOf {
		if !slices.Contains(all, class) {
			all = append(all, class)
		}
	}
	slices.Sort(all)
	return all
}

// plan is what may go wrong in a history.
type plan struct {
	on        map[string]bool
	rate      float64 // of gates at which something goes wrong
	crashRate float64
	crashes   int // how many instances still die
}

// draw chooses the fault classes of a history: each on or off, so that rare
// combinations come up too. Those of without stay off and those of with are on; what
// else is drawn does not depend on them.
func draw(rng *rand.Rand, with, without []string) *plan {
	p := &plan{on: map[string]bool{}}
	share := []float64{0, 0.2, 0.5, 0.8}[rng.IntN(4)]
	drawn := func(class string) bool {
		return (rng.Float64() < share || slices.Contains(with, class)) && !slices.Contains(without, class)
	}
	for _, class := range classes() {
		if class != classReceivers {
			p.on[class] = drawn(class)
		}
	}
	p.rate = []float64{0.01, 0.04, 0.12}[rng.IntN(3)]
	p.crashRate = []float64{0.003, 0.01, 0.03}[rng.IntN(3)]
	if crashes := 1 + rng.IntN(5); p.on[classCrashes] {
		p.crashes = crashes
	}
	p.on[classReceivers] = drawn(classReceivers)
	return p
}

// String lists the classes that are on.
func (p *plan) String() string {
	var on []string
	for _, class := range classes() {
		if p.on[class] {
			on = append(on, class)
		}
	}
	if len(on) == 0 {
		return "none"
	}
	return strings.Join(on, ", ")
}
