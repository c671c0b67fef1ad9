// Package steps holds every step, one file each, and the default pipelines.
package steps

import (
	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline"
)

// Defaults returns the default pipelines: the whole of what happens to an order,
// on one screen. A gateway may edit them for its methods, and so may settings.
func Defaults() pipeline.Definitions {
	return pipeline.Definitions{
		// The shopper pays without a PSP: zero total and offline methods, at once.
		pipeline.Internal: {Name: pipeline.Internal, Steps: pipeline.Named(
			"decide-payment", "pay-order", "save-order", "deduct-stock", "track-promotion-code", "delete-basket",
			"send-order-mail", "redirect-to-success-page",
		)},
		// Order overview: the shopper pays.
		pipeline.PreProcess: {Name: pipeline.PreProcess,
			Steps: pipeline.Named("save-order", "track-promotion-code"),
			Post:  pipeline.Named("psp-redirect"),
		},
		// Any fact about the order arrives, any number of times, over days.
		pipeline.Confirm: {Name: pipeline.Confirm, Post: pipeline.Named("order-path-selector", "save-order")},
		// The branches of order-path-selector.
		pipeline.StatusOK: {Name: pipeline.StatusOK, Steps: pipeline.Named(
			"pay-order", "release-unwanted-money", "deduct-stock", "delete-basket", "send-order-mail",
		)},
		pipeline.StatusCancel: {Name: pipeline.StatusCancel, Steps: pipeline.Named(
			"cancel-order", "release-unwanted-money", "restore-stock", "untrack-promotion-code",
		)},
		pipeline.StatusPending: {Name: pipeline.StatusPending, Steps: pipeline.Named("pending-order")},
		// The shopper comes back. Anyone can request these, so without money facts
		// they clean up and display, and decide nothing.
		pipeline.PostProcess: {Name: pipeline.PostProcess, Steps: pipeline.Named("delete-basket")},
		pipeline.Cancel:      {Name: pipeline.Cancel, Steps: pipeline.Named("save-order", "untrack-promotion-code")},
		// Order management. What the PSP answers is a fact: confirm follows in the same
		// transaction.
		pipeline.Capture:        operation(pipeline.Capture, "psp-capture"),
		pipeline.Refund:         operation(pipeline.Refund, "psp-refund"),
		pipeline.Void:           operation(pipeline.Void, "psp-void"),
		pipeline.Increase:       operation(pipeline.Increase, "psp-increase"),
		pipeline.MarkPaid:       operation(pipeline.MarkPaid, "record-payment"),
		pipeline.MarkAuthorized: operation(pipeline.MarkAuthorized, "record-payment"),
		pipeline.Complete:       operation(pipeline.Complete, "complete-order"),
	}
}

// operation is a pipeline of order management, around the step that does it.
func operation(name, step string) pipeline.Definition {
	return pipeline.Definition{Name: name, Steps: pipeline.Named(step), Post: pipeline.Named("save-order")}
}

// Library returns every step, ready for use.
func Library(d Deps) (pipeline.Library, error) {
	return pipeline.NewLibrary(
		cancelOrder{},
		completeOrder{},
		decidePayment{decider: d.Decider},
		deductStock{tracked: d.StockTracked},
		deleteBasket{},
		orderPathSelector{},
		payOrder{},
		pendingOrder{},
		pspCapture{pspOperation{d.Operator}},
		pspIncrease{pspOperation{d.Operator}},
		pspRefund{pspOperation{d.Operator}},
		pspVoid{pspOperation{d.Operator}},
		pspRedirect{opener: d.Opener},
		recordPayment{},
		redirectToSuccessPage{ours: d.StatusPage},
		releaseUnwantedMoney{returns: d.Returns},
		restoreStock{},
		saveOrder{},
		sendOrderMail{},
		trackPromotionCode{},
		untrackPromotionCode{},
	)
}

// Makers returns every step that settings configure, by `with:`.
func Makers(d MakerDeps) []pipeline.Maker {
	return []pipeline.Maker{
		emitEventMaker,
		httpMaker(d.Poster),
		ipRangeValidationMaker,
		noteMaker,
		setAttributeMaker,
	}
}

// MakerDeps are what configured steps need from outside the engine.
type MakerDeps struct {
	// Poster calls URLs of stores.
	Poster Poster
}

// Deps are what steps need from outside the engine.
type Deps struct {
	// Opener finds the gateway of a payment.
	Opener Opener
	// Decider decides payments of gateways without a PSP.
	Decider Decider
	// Operator does something with the money of payments.
	Operator Operator
	// Returns says what a store gives back by itself.
	Returns func(store string) Returns
	// StatusPage is the address of our page about an order.
	StatusPage func(o *payment.Order) string
	// StockTracked tells whether stock is deducted for orders of the store.
	StockTracked func(store string) bool
}
