package httpkit

import (
	"bytes"
	"errors"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// timestampLayout has no more digits than PostgreSQL keeps, so that a time
// reads the same before and after it was stored.
const timestampLayout = "2006-01-02T15:04:05.999999Z07:00"

// Timestamp is a time in JSON: RFC 3339, always UTC in answers, to the
// microsecond. Requests may use any offset.
type Timestamp time.Time

// NewTimestamp cuts t to the microsecond.
func NewTimestamp(t time.Time) Timestamp { return Timestamp(t.UTC().Truncate(time.Microsecond)) }

// Time is the time, in UTC.
func (t Timestamp) Time() time.Time { return time.Time(t) }

// IsZero makes omitzero work.
func (t Timestamp) IsZero() bool { return time.Time(t).IsZero() }

// MarshalText serves JSON.
func (t Timestamp) MarshalText() ([]byte, error) {
	return time.Time(t).UTC().AppendFormat(nil, timestampLayout), nil
}

// UnmarshalText serves JSON and query parameters. Its error repeats nothing.
func (t *Timestamp) UnmarshalText(text []byte) error {
	parsed, err := time.Parse(time.RFC3339Nano, string(text))
	if err != nil || !strictRFC3339(text) {
		return errTimestamp
	}
	cut := NewTimestamp(parsed)
	if year := cut.Time().Year(); year < 1 || year > 9999 {
		return errTimestamp // only in UTC, where four digits no longer hold it
	}
	*t = cut
	return nil
}

var errTimestamp = errors.New("not an RFC 3339 time")

// strictRFC3339 refuses what time.Parse lets pass of RFC 3339: hours of one
// digit, a comma before the fraction, offsets of a day and more.
func strictRFC3339(text []byte) bool {
	if len(text) < len("2006-01-02T15:04:05Z") || text[13] != ':' || bytes.IndexByte(text, ',') >= 0 {
		return false
	}
	if text[len(text)-1] == 'Z' {
		return true
	}
	offset := string(text[len(text)-len("01:00"):])
	return offset < "24:00" && offset[3] < '6'
}

// Schema serves huma.
func (Timestamp) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Format: "date-time", Description: "RFC 3339, UTC."}
}
