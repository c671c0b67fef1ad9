package main

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// publicHost is where the service believes to be; the balancer stands there.
const publicHost = "pay.chaos.example"

// balancer carries requests for the service's public address to one of its
// instances, by chance, and all others where they want to go.
type balancer struct {
	instances []*instance
	dice      *dice
	transport http.RoundTripper
}

var errNobody = errors.New("no instance is up")

// nobodyMax is how long a request waits for an instance to come up.
const nobodyMax = time.Second

// answerMax is how long an instance may take to begin an answer; it may be
// stopped for longer.
const answerMax = 14 * time.Second

func newBalancer(instances []*instance, d *dice) *balancer {
	return &balancer{instances: instances, dice: d, transport: &http.Transport{
		MaxIdleConnsPerHost: 32, ResponseHeaderTimeout: answerMax, DisableCompression: true,
	}}
}

// RoundTrip implements http.RoundTripper. A request that an instance may have
// begun to read is never sent to another: whoever asked has to do that.
func (b *balancer) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host != publicHost {
		return b.transport.RoundTrip(r)
	}
	to, err := b.await(r.Context())
	if err != nil {
		if r.Body != nil {
			_ = r.Body.Close() // it was not read
		}
		return nil, err
	}
	r = r.Clone(r.Context())
	r.URL.Scheme, r.URL.Host = "http", to
	r.GetBody = nil // or the transport would repeat it by itself
	return b.transport.RoundTrip(r)
}

// await picks an instance, and waits a moment for one if there is none.
func (b *balancer) await(ctx context.Context) (address string, err error) {
	for range int(nobodyMax / pollEvery) {
		if at, ok := b.pick(); ok {
			return at, nil
		}
		if err := pause(ctx, pollEvery); err != nil {
			return "", err
		}
	}
	return "", errNobody
}

func (b *balancer) pick() (address string, ok bool) {
	first := b.dice.below(len(b.instances))
	for n := range b.instances {
		if at := b.instances[(first+n)%len(b.instances)].address(); at != "" {
			return at, true
		}
	}
	return "", false
}
