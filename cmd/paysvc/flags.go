package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
)

// parseFlags reads the arguments of a command that takes flags and nothing else.
// What is wrong with them is one line. flag.ErrHelp says that the flags have been
// explained, as was asked, and that there is nothing else to do.
func parseFlags(flags *flag.FlagSet, args []string, env environment) error {
	flags.SetOutput(io.Discard) // it would print the error, and all flags, by itself
	err := flags.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprintf(env.out, "Flags of paysvc %s:\n", flags.Name())
		flags.SetOutput(env.out)
		flags.PrintDefaults()
		return flag.ErrHelp
	case err != nil:
		return fmt.Errorf("%s: %w; see `paysvc %s --help`", flags.Name(), err, flags.Name())
	case flags.NArg() > 0:
		return fmt.Errorf("%s: takes flags only; see `paysvc %s --help`", flags.Name(), flags.Name())
	}
	return nil
}
