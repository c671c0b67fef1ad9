package outbound

import (
	"encoding/base64"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// sign adds the fields of Standard Webhooks: id, time, and one signature for
// each secret. A message without a secret is not sent.
func sign(h http.Header, m Message, at time.Time) error {
	if m.ID == "" || len(m.Secrets) == 0 {
		return &Failure{SecretMissing}
	}
	signatures := make([]string, len(m.Secrets))
	for i, secret := range m.Secrets {
		if CheckSecret(secret) != nil {
			return &Failure{SecretMissing}
		}
		hook, err := standardwebhooks.NewWebhook(secret)
		if err != nil {
			return &Failure{SecretMissing}
		}
		if signatures[i], err = hook.Sign(m.ID, at, m.Body); err != nil {
			return &Failure{SecretMissing}
		}
	}
	h.Set(standardwebhooks.HeaderWebhookID, m.ID)
	h.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(at.Unix(), 10))
	h.Set(standardwebhooks.HeaderWebhookSignature, strings.Join(signatures, " "))
	return nil
}

// The length of a secret, in bytes: what the specification asks for.
const (
	secretPrefix   = "whsec_"
	secretMinBytes = 24
	secretMaxBytes = 64
)

var errSecret = errors.New("must be whsec_ and the base64 of 24 to 64 random bytes")

// CheckSecret tells whether a secret can sign. The error does not repeat it.
func CheckSecret(secret string) error {
	text, ok := strings.CutPrefix(secret, secretPrefix)
	key, err := base64.StdEncoding.DecodeString(text)
	if !ok || err != nil || len(key) < secretMinBytes || len(key) > secretMaxBytes {
		return errSecret
	}
	return nil
}
