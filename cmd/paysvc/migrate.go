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
	c, err := readConfig()
	if err != nil {
		return err
	}
	url := c.DatabaseURL.Reveal()
	if url == "" {
		return errors.New("PAYSVC_DATABASE_URL is required")
	}
	action := "up"
	if len(args) > 0 {
		action = args[0]
	}
	number := 0
	if action == "down" || action == "force" {
		if len(args) != 2 {
			return fmt.Errorf("migrate %s: a number is required; %w", action, errUsage)
		}
		if number, err = strconv.Atoi(args[1]); err != nil {
			return fmt.Errorf("migrate %s: a number is required; %w", action, errUsage)
		}
	}
	switch action {
	case "up":
		err = postgres.Migrate(ctx, url, migrations.FS)
	case "down":
		err = postgres.MigrateDown(ctx, url, migrations.FS, number)
	case "force":
		err = postgres.MigrateForce(ctx, url, migrations.FS, number)
	case "version":
	default:
		return fmt.Errorf("migrate: up, down N, version or force N; %w", errUsage)
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
