package payment

import (
	"hash/fnv"
	"time"
)

// inquiryDelays is when the PSP is asked about an open transaction: after the
// first delay, then after each next one; the last repeats daily.
var inquiryDelays = []time.Duration{
	15 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute,
	30 * time.Minute, time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour,
}

// InquiryDelay returns how long to wait before the PSP is asked again, when it
// has been asked so many times. The jitter of up to a fifth comes from the
// reference, so the schedule of a transaction is the same wherever it is
// computed while many of them spread out. The first delay has none.
func InquiryDelay(reference string, asked int) time.Duration {
	delay := inquiryDelays[min(asked, len(inquiryDelays)-1)]
	if asked == 0 {
		return delay
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(reference)) // a hash never fails
	spread := int64(delay / 5)
	return delay + time.Duration(int64(h.Sum64()>>1)%spread)
}
