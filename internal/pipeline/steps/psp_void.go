package steps

// pspVoid releases reserved money at the PSP.
type pspVoid struct{ pspOperation }

func (pspVoid) Name() string { return "psp-void" }
