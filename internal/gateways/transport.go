package gateways

import (
	"net"
	"net/http"
	"time"
)

// The time limits of one connection, and the bounds of an answer.
const (
	connectTimeout   = 2 * time.Second
	tlsTimeout       = 3 * time.Second
	headerTimeout    = 10 * time.Second
	idleTimeout      = 30 * time.Second
	headerMaxBytes   = 64 << 10
	answerMaxBytes   = 1 << 20
	idleConnsPerHost = sendsMaxDefault
)

// NewTransport returns the way to a PSP over the network. It speaks HTTP/1.1
// only: over HTTP/2 the library repeats requests by itself, and whether one has
// left could not be proven. It asks for no compression, so that no answer grows
// while it is read.
func NewTransport() *http.Transport {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	return &http.Transport{
		DialContext:            (&net.Dialer{Timeout: connectTimeout}).DialContext,
		TLSHandshakeTimeout:    tlsTimeout,
		ResponseHeaderTimeout:  headerTimeout,
		IdleConnTimeout:        idleTimeout,
		MaxIdleConnsPerHost:    idleConnsPerHost,
		MaxResponseHeaderBytes: headerMaxBytes,
		DisableCompression:     true,
		Protocols:              &protocols,
	}
}
