package main

import (
	"context"
	"errors"
	"flag"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime/pprof"
	"time"

	"github.com/rs/zerolog"

	"github.com/paysvc/paysvc/internal/api/httpkit"
)

// drainMax is how long requests may finish when the profiled service stops.
const drainMax = 10 * time.Second

// serve is the service in a process of the bench, so that it can be profiled:
// the released program has no profiler.
func serve(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet(roleServe, flag.ContinueOnError)
	profile := flags.String("cpuprofile", "", "file of the CPU profile")
	if err := flags.Parse(args); err != nil {
		return err
	}
	const secret = "profiled"
	dir := os.Getenv("PAYSVC_DEV_FOLDER")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "sandbox-secrets"), []byte(secret+"\n"+secret+"\n"), 0o600); err != nil {
		return err
	}
	address := os.Getenv("PAYSVC_LISTEN")
	s, err := wiring{
		databaseURL: os.Getenv("PAYSVC_DATABASE_URL"), publicURL: "http://" + address, secret: secret,
	}.open(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return err
	}
	server := httpkit.NewServer(s.api, zerolog.New(os.Stderr).Level(zerolog.WarnLevel))
	return profiled(*profile, func() error {
		stopped := make(chan error, 1)
		go func() {
			<-ctx.Done()
			drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainMax)
			defer cancel()
			stopped <- server.Shutdown(drain)
		}()
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return <-stopped
	})
}

// profiled writes a CPU profile of work, and what was allocated beside it.
func profiled(path string, work func() error) error {
	cpu, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := pprof.StartCPUProfile(cpu); err != nil {
		return errors.Join(err, cpu.Close())
	}
	err = work()
	pprof.StopCPUProfile()
	err = errors.Join(err, cpu.Close())
	allocations, createErr := os.Create(path + ".allocs")
	if createErr != nil {
		return errors.Join(err, createErr)
	}
	return errors.Join(err, pprof.Lookup("allocs").WriteTo(allocations, 0), allocations.Close())
}
