package gateways

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"github.com/paysvc/paysvc/internal/payment"
)

// The bounds of a stamped signature: what verifying one may cost, and how old it
// may be.
const (
	stampedMaxBytes  = 2048
	stampedMax       = 8
	stampedTolerance = 300 * time.Second
)

// VerifyStamped proves that who knows one of the secrets sent the bytes, a short
// time ago. The header field is "t=<unix seconds>,v1=<hex of HMAC-SHA256(secret,
// t.body)>", as Stripe has made it common: v1 as often as the sender has secrets,
// and schemes that are not ours to know between them. Every failure is the same
// error: it teaches a forger nothing.
func VerifyStamped(raw payment.RawNotification, field string, secrets []Secret, now time.Time) error {
	headers := raw.Headers[field]
	if len(headers) != 1 {
		return errUnproven() // two signatures could each be shown to another reader
	}
	stamp, signatures, ok := parseStamped(headers[0])
	if !ok {
		return errUnproven()
	}
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || now.Sub(time.Unix(seconds, 0)).Abs() > stampedTolerance {
		return errUnproven()
	}
	valid := false
	for _, secret := range secrets {
		if secret == "" {
			continue // settings refuse it; here it would accept anybody
		}
		expected := stamped(secret.Reveal(), stamp, raw.Body)
		for _, given := range signatures { // all of them: the time it takes tells nothing
			if hmac.Equal([]byte(expected), []byte(given)) {
				valid = true
			}
		}
	}
	if !valid {
		return errUnproven()
	}
	return nil
}

// parseStamped splits the field: one t, and one to stampedMax v1.
func parseStamped(field string) (stamp string, signatures []string, ok bool) {
	if len(field) > stampedMaxBytes {
		return "", nil, false
	}
	for part := range strings.SplitSeq(field, ",") {
		scheme, value, valid := strings.Cut(part, "=")
		switch {
		case !valid, scheme == "t" && (stamp != "" || value == "" || strings.Trim(value, "0123456789") != ""):
			return "", nil, false
		case scheme == "t":
			stamp = value
		case scheme == "v1" && len(signatures) == stampedMax:
			return "", nil, false
		case scheme == "v1":
			signatures = append(signatures, value)
		}
	}
	return stamp, signatures, stamp != "" && len(signatures) > 0
}

// stamped returns the signature of a body, in lower-case hex.
func stamped(secret, stamp string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(stamp))
	mac.Write([]byte("."))
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

func errUnproven() error {
	return payment.Errorf(payment.KindUnauthenticated, "signature_invalid", "nothing proves who sent the notification")
}
