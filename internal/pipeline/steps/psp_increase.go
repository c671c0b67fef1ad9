package steps

// pspIncrease reserves more at the PSP.
type pspIncrease struct{ pspOperation }

func (pspIncrease) Name() string { return "psp-increase" }
