package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// What the system says about processes comes from /proc: elsewhere than on Linux
// the numbers are 0.

// residentBytes is how much memory a process has resident.
func residentBytes(pid int) (int64, error) {
	if runtime.GOOS != "linux" {
		return 0, nil
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		if fields := strings.Fields(line); len(fields) == 3 && fields[0] == "VmRSS:" {
			kilobytes, err := strconv.ParseInt(fields[1], 10, 64)
			return kilobytes << 10, err
		}
	}
	return 0, errors.New("the process has no VmRSS")
}

// clockTick is the unit of times in /proc: 100 a second on every Linux.
const clockTick = 10 * time.Millisecond

// processorTime is what a process has used.
func processorTime(pid int) (time.Duration, error) {
	if runtime.GOOS != "linux" {
		return 0, nil
	}
	s, err := readStat(fmt.Sprintf("/proc/%d/stat", pid))
	return s.used, err
}

// familyTime is what a process and its children have used, those that ended
// too: PostgreSQL has a process for each connection.
func familyTime(pid int) (time.Duration, error) {
	if runtime.GOOS != "linux" {
		return 0, nil
	}
	own, err := readStat(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	total := own.used + own.ended
	paths, err := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range paths {
		s, err := readStat(path)
		if err == nil && s.parent == pid { // one that cannot be read has ended
			total += s.used
		}
	}
	return total, err
}

// processStat is what the system says of a process.
type processStat struct {
	parent      int
	used, ended time.Duration // processor time, its own and that of children that ended
}

func readStat(path string) (s processStat, err error) {
	stat, err := os.ReadFile(path)
	if err != nil {
		return s, err
	}
	_, rest, _ := strings.Cut(string(stat), ") ") // the name before it may hold spaces
	var parsed [15]int64
	fields := strings.Fields(rest)
	if len(fields) < len(parsed) {
		return s, errors.New("the process has no times")
	}
	// The parent; user and system time; the same of children that ended.
	for _, i := range []int{1, 11, 12, 13, 14} {
		if parsed[i], err = strconv.ParseInt(fields[i], 10, 64); err != nil {
			return s, err
		}
	}
	return processStat{
		parent: int(parsed[1]),
		used:   time.Duration(parsed[11]+parsed[12]) * clockTick,
		ended:  time.Duration(parsed[13]+parsed[14]) * clockTick,
	}, nil
}
