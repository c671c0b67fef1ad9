//go:build !linux

package main

import "syscall"

// ownGroup makes an instance a process group of its own, so that Ctrl-C is for the
// supervisor alone.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
