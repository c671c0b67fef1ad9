package outbound

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"os"
	"syscall"
)

// Why says why a message got no answer.
type Why string

// The reasons. Of some the message may have arrived all the same: only URL,
// address, host, refused and TLS say for sure that it did not.
const (
	URLRefused     Why = "url_refused"
	SecretMissing  Why = "secret_missing"
	AddressRefused Why = "address_refused"
	HostUnknown    Why = "host_unknown"
	ConnectFailed  Why = "connection_refused"
	TLSFailed      Why = "tls_failed"
	TimedOut       Why = "timeout"
	Unreadable     Why = "answer_unreadable"
)

// Failure is an exchange without an answer. It carries nothing of the message,
// of its URL or of what came back, so it may be kept, logged and shown.
type Failure struct{ Why Why }

var sentences = map[Why]string{
	URLRefused:     "the URL is not one that may be called",
	SecretMissing:  "there is no usable secret to sign with",
	AddressRefused: "the host's address is not public",
	HostUnknown:    "the host has no address",
	ConnectFailed:  "no connection could be made",
	TLSFailed:      "the connection could not be secured",
	TimedOut:       "the receiver took too long",
	Unreadable:     "the connection broke, or what came was no answer",
}

// Error implements error.
func (f *Failure) Error() string { return sentences[f.Why] }

// failureOf puts an error of the transport into our words; its own may hold the
// URL.
func failureOf(ctx context.Context, err error) *Failure {
	switch {
	case errors.Is(err, errAddress):
		return &Failure{AddressRefused}
	case errors.Is(err, errUnknown):
		return &Failure{HostUnknown}
	case ctx.Err() != nil, errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded), timedOut(err):
		return &Failure{TimedOut}
	case insecure(err):
		return &Failure{TLSFailed}
	case errors.Is(err, syscall.ECONNREFUSED), dialling(err):
		return &Failure{ConnectFailed}
	}
	return &Failure{Unreadable}
}

func timedOut(err error) bool {
	n, ok := errors.AsType[net.Error](err)
	return ok && n.Timeout()
}

func insecure(err error) bool {
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return true
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return true
	}
	_, ok := errors.AsType[tls.AlertError](err)
	return ok
}

func dialling(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "dial"
}
