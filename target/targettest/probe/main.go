// Command probe is the service that the suite of package targettest runs on
// every node: it listens on the ports of the host that it is given, and tells
// whoever connects the name that it is given.
package main

import (
	"fmt"
	"net"
	"os"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "probe:", err)
		os.Exit(1)
	}
}

// run serves until the process is stopped: probe NAME HOST PORT...
func run(args []string) error {
	if len(args) < 3 {
		return fmt.Errorf("usage: probe NAME HOST PORT [PORT]")
	}
	failed := make(chan error)
	for _, port := range args[2:] {
		listener, err := net.Listen("tcp", net.JoinHostPort(args[1], port))
		if err != nil {
			return err
		}
		go func() { failed <- serve(listener, args[0]) }()
	}
	fmt.Println("listening as", args[0])
	return <-failed
}

func serve(listener net.Listener, name string) error {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return err
		}
		_, _ = fmt.Fprintln(conn, name) // a caller that left is its own problem
		_ = conn.Close()
	}
}
