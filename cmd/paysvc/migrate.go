package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/paysvc/paysvc/internal/postgres"
	"github.com/paysvc/paysvc/migrations"
)

// migrate changes the schema of the configured database.
func migrate(ctx context.Context, args []string, env environment) error {
	action, number, err := migration(args)
	if err != nil {
		return err
	}
	c, err := readConfig()
	if err != nil {
		return err
	}
	url := c.DatabaseURL.Reveal()
	if url == "" {
		return errors.New("PAYSVC_DATABASE_URL is required")
	}
	switch action {
	case "up":
		err = postgres.Migrate(ctx, url, migrations.FS)
	case "down":
		err = postgres.MigrateDown(ctx, url, migrations.FS, number)
	case "force":
		err = postgres.MigrateForce(ctx, url, migrations.FS, number)
	}
	if err != nil {
		return err
	}
	v, err := postgres.MigrateVersion(ctx, url)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(env.out, "schema version %d\n", v.Number)
	return err
}

// migration reads what to do from the arguments; up where they are empty.
func migration(args []string) (action string, number int, err error) {
	if len(args) == 0 {
		return "up", 0, nil
	}
	switch action = args[0]; {
	case (action == "up" || action == "version") && len(args) == 1:
		return action, 0, nil
	case action == "down" || action == "force":
		if len(args) == 2 {
			number, err = strconv.Atoi(args[1])
		}
		if len(args) != 2 || err != nil {
			return "", 0, fmt.Errorf("migrate %s: a number is required; %w", action, errUsage)
		}
		return action, number, nil
	}
	return "", 0, fmt.Errorf("migrate: up, down N, version or force N; %w", errUsage)
}
