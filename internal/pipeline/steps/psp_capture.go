package steps

// pspCapture takes reserved money at the PSP.
type pspCapture struct{ pspOperation }

func (pspCapture) Name() string { return "psp-capture" }
