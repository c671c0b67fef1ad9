package sandbox

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
	signatureHeader    = "Sandbox-Signature"
	signatureMaxBytes  = 1024
	signaturesMax      = 4
	signatureTolerance = 300 * time.Second
)

// verify proves that the PSP sent the bytes, a short time ago. The header is
// "t=<unix seconds>,v1=<hex of HMAC-SHA256(secret, t.body)>", v1 as often as the
// PSP has secrets. Every failure is the same error: it teaches a forger nothing.
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

// parseSignature splits the header: one t, then one to signaturesMax v1.
func parseSignature(header string) (stamp string, signatures []string, ok bool) {
	if len(header) > signatureMaxBytes {
		return "", nil, false
	}
	first, rest, _ := strings.Cut(header, ",")
	stamp, ok = strings.CutPrefix(first, "t=")
	if !ok || strings.Trim(stamp, "0123456789") != "" {
		return "", nil, false
	}
	for part := range strings.SplitSeq(rest, ",") {
		signature, ok := strings.CutPrefix(part, "v1=")
		if !ok || len(signatures) == signaturesMax {
			return "", nil, false
		}
		signatures = append(signatures, signature)
	}
	return stamp, signatures, true
}

// sign returns the signature of a body, in lower-case hex.
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
