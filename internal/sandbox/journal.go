package sandbox

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/go-json-experiment/json"
)

// journal is the ledger's file: one entry per line, only ever appended to. A
// line is handed to the kernel before the change is visible, so a killed
// process loses nothing; it is not synced, so a power failure may.
type journal struct {
	file *os.File
	size int64 // bytes of whole lines
}

// openJournal replays what the file holds, oldest first. A last line without
// its end was never acknowledged to anybody and is cut off; a line that
// cannot be read anywhere else is an error.
func openJournal(path string, replay func(entry)) (*journal, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	j := &journal{file: f}
	if err := j.replay(replay); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), f.Close())
	}
	return j, nil
}

func (j *journal) replay(replay func(entry)) error {
	lines := bufio.NewReader(j.file)
	for number := 1; ; number++ {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return j.file.Truncate(j.size)
		}
		if err != nil {
			return err
		}
		var e entry
		if err := json.Unmarshal(line, &e); err != nil {
			return fmt.Errorf("line %d: %w", number, err)
		}
		replay(e)
		j.size += int64(len(line))
	}
}

// append writes one entry, or leaves the file as it was.
func (j *journal) append(e entry) error {
	var line bytes.Buffer
	if err := json.MarshalWrite(&line, e); err != nil {
		return err
	}
	line.WriteByte('\n')
	if _, err := j.file.Write(line.Bytes()); err != nil {
		return errors.Join(err, j.file.Truncate(j.size))
	}
	j.size += int64(line.Len())
	return nil
}

func (j *journal) close() error { return j.file.Close() }
