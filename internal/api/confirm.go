package api

import (
	"net/http"

	"github.com/go-chi/chi/v5"

	"github.com/paysvc/paysvc/internal/api/httpkit"
	"github.com/paysvc/paysvc/internal/moments"
	"github.com/paysvc/paysvc/internal/payment"
)

// notificationMaxBytes caps what a PSP may post.
const notificationMaxBytes = 1 << 20

// confirm takes in a notification. 2xx is given only for what is durable; a PSP
// that gets anything else sends it again.
func (a *API) confirm(w http.ResponseWriter, r *http.Request) {
	body, err := httpkit.ReadBody(w, r, notificationMaxBytes)
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	receipt, err := a.Moments.Confirm(r.Context(), moments.Delivery{
		Gateway: chi.URLParam(r, "gateway"), Account: chi.URLParam(r, "account"), From: addressOf(r.Context()),
		Raw: payment.RawNotification{Method: r.Method, Query: r.URL.RawQuery, Headers: kept(r.Header), Body: body},
	})
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	if receipt.ContentType != "" {
		w.Header().Set("Content-Type", receipt.ContentType)
	}
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(receipt.Body) // the PSP sends it again if this is lost
}

// refuse answers the error of a route outside of the REST API.
func (a *API) refuse(w http.ResponseWriter, r *http.Request, err error) {
	a.kit.Refuse(w, r, err)
}

// kept are the header fields of a notification that a gateway may verify and
// that the inbox keeps: all but those that hold credentials or speak of the path.
func kept(h http.Header) map[string][]string {
	fields := make(map[string][]string, len(h))
	for name, values := range h {
		switch name {
		case "Authorization", "Cookie", "X-Forwarded-For", "Forwarded":
		default:
			fields[name] = values
		}
	}
	return fields
}
