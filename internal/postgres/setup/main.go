// Command setup makes sure that the machine has a PostgreSQL which the tests can start, and installs one if not.
// It is what "make test" runs first; "paysvc dev" does the same by itself.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"

	"github.com/paysvc/paysvc/internal/postgres"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	if os.Getenv("PAYSVC_TEST_DATABASE_URL") != "" {
		fmt.Println("PostgreSQL: the server of PAYSVC_TEST_DATABASE_URL")
		return nil
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	search := postgres.Search{
		BinDir: os.Getenv("PAYSVC_POSTGRES_BIN"), Path: os.Getenv("PATH"), Root: postgres.DevFolder,
	}
	found, err := postgres.Find(ctx, search)
	if errors.Is(err, postgres.ErrNotFound) {
		fmt.Println("PostgreSQL: none found, installing it")
		found, err = postgres.Install(ctx, search, os.Stdout)
	}
	if err != nil {
		return err
	}
	fmt.Printf("PostgreSQL: %d.%d in %s\n", found.Major, found.Minor, found.Dir)
	return nil
}
