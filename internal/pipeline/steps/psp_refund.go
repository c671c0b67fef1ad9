package steps

// pspRefund gives taken money back at the PSP.
type pspRefund struct{ pspOperation }

func (pspRefund) Name() string { return "psp-refund" }
