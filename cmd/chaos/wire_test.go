package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"
)

// packet makes a message; kind 0 makes one without a type.
func packet(kind byte, body string) []byte {
	var raw []byte
	if kind != 0 {
		raw = append(raw, kind)
	}
	raw = binary.BigEndian.AppendUint32(raw, uint32(4+len(body)))
	return append(raw, body...)
}

// strikes reads a batch and tells which of its messages commit, by number.
func strikes(t *testing.T, d *dialogue, packets ...[]byte) []int {
	t.Helper()
	in := bufio.NewReader(bytes.NewReader(bytes.Join(packets, nil)))
	var found []int
	for i, p := range packets {
		m, err := readMessage(in)
		require.NoError(t, err)
		require.Equal(t, p, m.raw, "a message is carried as it came")
		if d.commits(m) {
			found = append(found, i)
		}
	}
	return found
}

func TestACommitIsSeenInASimpleQuery(t *testing.T) {
	t.Parallel()
	for query, commits := range map[string]bool{
		"commit": true, "COMMIT;": true, " Commit ; ": true, "end": true, "commit and chain": true,
		"insert into t values (1); commit": true,
		"begin":                            false, "select 'commit'": false, "rollback": false, "": false, "update commits set n = 1": false,
	} {
		require.Equal(t, commits, len(strikes(t, newDialogue(), packet('Q', query+"\x00"))) == 1, "%q", query)
	}
}

func TestACommitIsSeenInABatchOfPreparedStatements(t *testing.T) {
	t.Parallel()
	d := newDialogue()
	require.Empty(t, strikes(t, d,
		packet('P', "s1\x00insert into t values ($1)\x00\x00\x01\x00\x00\x00\x17"), packet('P', "s2\x00commit\x00\x00\x00"), packet('S', "")),
		"to prepare it is not to do it")
	require.Equal(t, []int{4}, strikes(t, d,
		packet('B', "\x00s1\x00rest"), packet('E', "\x00\x00\x00\x00\x00"),
		packet('B', "\x00s2\x00rest"), packet('D', "P\x00"), packet('E', "\x00\x00\x00\x00\x00"), packet('S', "")))
	require.Equal(t, []int{1}, strikes(t, d, packet('B', "p\x00s2\x00"), packet('E', "p\x00\x00\x00\x00\x00")), "again, without preparing it again")
}

func TestANameThatIsUsedForSomethingElseDoesNotCommit(t *testing.T) {
	t.Parallel()
	d := newDialogue()
	require.Equal(t, []int{2}, strikes(t, d,
		packet('P', "c\x00commit\x00\x00\x00"), packet('B', "\x00c\x00"), packet('E', "\x00\x00\x00\x00\x00"),
		packet('P', "i\x00insert\x00\x00\x00"), packet('B', "\x00i\x00"), packet('E', "\x00\x00\x00\x00\x00")), "a portal is bound anew")
	require.Empty(t, strikes(t, d,
		packet('P', "\x00commit\x00\x00\x00"), packet('P', "\x00select 1\x00\x00\x00"),
		packet('B', "\x00\x00"), packet('E', "\x00\x00\x00\x00\x00"),
		packet('P', "s\x00commit\x00\x00\x00"), packet('C', "Ss\x00"), packet('B', "\x00s\x00"), packet('E', "\x00\x00\x00\x00\x00")))
}

func TestAnOpeningMessageHasNoType(t *testing.T) {
	t.Parallel()
	in := bufio.NewReader(bytes.NewReader(packet(0, "\x04\xd2\x16\x2f")))
	m, err := readOpening(in)
	require.NoError(t, err)
	code, err := m.code()
	require.NoError(t, err)
	require.EqualValues(t, codeTLS, code)
}

func TestALengthThatCannotBeIsRefused(t *testing.T) {
	t.Parallel()
	for _, raw := range [][]byte{{'Q', 0, 0, 0, 3}, {'Q', 0xff, 0xff, 0xff, 0xff}} {
		_, err := readMessage(bufio.NewReader(bytes.NewReader(raw)))
		require.Error(t, err)
	}
	_, err := readOpening(bufio.NewReader(bytes.NewReader([]byte{0, 0, 0, 1})))
	require.Error(t, err)
}

func TestTheServersWordOfACommitIsKnown(t *testing.T) {
	t.Parallel()
	for raw, is := range map[string]bool{"COMMIT\x00": true, "ROLLBACK\x00": false, "INSERT 0 1\x00": false} {
		m, err := readMessage(bufio.NewReader(bytes.NewReader(packet('C', raw))))
		require.NoError(t, err)
		require.Equal(t, is, committed(m), "%q", raw)
	}
}
