// Package httpkit is what every handler of the REST API stands on: a chi
// router with a huma API on it, hardened; strict JSON; problems in one form;
// and the middlewares that bound, name, log and limit each request.
//
// It knows nothing of orders or payments. A handler is registered with
// Register and a Route; what a Route promises (it moves money, it needs an
// Idempotency-Key, it answers an event stream) the kit enforces before the
// handler runs. Nothing here reads the clock or randomness by itself, and no
// problem ever repeats a value of the request.
package httpkit
