package stripe

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"github.com/paysvc/paysvc/internal/payment"
)

const (
	signatureHeader    = "Stripe-Signature"
	signatureMaxBytes  = 2048
	signaturesMax      = 8
	signatureTolerance = 300 * time.Second
)

// verify proves that Stripe sent the bytes, a short time ago. The header is
// "t=<unix seconds>,v1=<hex of HMAC-SHA256(secret, t.body)>", v1 as often as the
// endpoint has secrets, and schemes that are not ours to know between them. Every
// failure is the same error: it teaches a forger nothing.
func (g *Gateway) verify(raw payment.RawNotification) error {
	headers := raw.Headers[signatureHeader]
	if len(headers) != 1 {
		return errUnauthenticated() // two signatures could each be shown to another reader
	}
	stamp, signatures, ok := parseSignature(headers[0])
	if !ok {
		return errUnauthenticated()
	}
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || g.deps.Now().Sub(time.Unix(seconds, 0)).Abs() > signatureTolerance {
		return errUnauthenticated()
	}
	valid := false
	for _, secret := range g.config().WebhookSecrets {
		if secret == "" {
			continue // check refuses it; here it would accept anybody
		}
		expected := sign(secret.Reveal(), stamp, raw.Body)
		for _, given := range signatures { // all of them: the time it takes tells nothing
			if hmac.Equal([]byte(expected), []byte(given)) {
				valid = true
			}
		}
	}
	if !valid {
		return errUnauthenticated()
	}
	return nil
}

// parseSignature splits the header: one t, and one to signaturesMax v1.
func parseSignature(header string) (stamp string, signatures []string, ok bool) {
	if len(header) > signatureMaxBytes {
		return "", nil, false
	}
	for part := range strings.SplitSeq(header, ",") {
		scheme, value, valid := strings.Cut(part, "=")
		switch {
		case !valid, scheme == "t" && (stamp != "" || value == "" || strings.Trim(value, "0123456789") != ""):
			return "", nil, false
		case scheme == "t":
			stamp = value
		case scheme == "v1" && len(signatures) == signaturesMax:
			return "", nil, false
		case scheme == "v1":
			signatures = append(signatures, value)
		}
	}
	return stamp, signatures, stamp != "" && len(signatures) > 0
}

// sign returns the signature of a body, in lower-case hex as Stripe writes it.
func sign(secret, stamp string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(stamp))
	mac.Write([]byte("."))
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

func errUnauthenticated() error {
	return payment.Errorf(payment.KindUnauthenticated, "signature_invalid", "nothing proves who sent the notification")
}
