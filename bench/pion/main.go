// SPDX-License-Identifier: Apache-2.0

// A TURN server of pion/turn, as its examples make one, to measure beside the relay: one socket,
// the long-term credential of one user, relayed ports from a range.
package main

import (
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"syscall"

	"github.com/pion/turn/v2"
)

var (
	address  = flag.String("address", "127.0.0.1", "where to listen, and to relay from")
	port     = flag.Int("port", 3478, "")
	lowest   = flag.Uint("lowest-port", 49152, "")
	highest  = flag.Uint("highest-port", 65535, "")
	realm    = flag.String("realm", "fairlead", "")
	user     = flag.String("user", "alice", "")
	password = flag.String("password", "wonder", "")
)

func check(err error, doing string) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", doing, err)
		os.Exit(1)
	}
}

func main() {
	flag.Parse()
	conn, err := net.ListenPacket("udp4", net.JoinHostPort(*address, fmt.Sprint(*port)))
	check(err, "listen")
	key := turn.GenerateAuthKey(*user, *realm, *password)
	server, err := turn.NewServer(turn.ServerConfig{
		Realm: *realm,
		AuthHandler: func(name, _ string, _ net.Addr) ([]byte, bool) {
			return key, name == *user
		},
		PacketConnConfigs: []turn.PacketConnConfig{{
			PacketConn: conn,
			RelayAddressGenerator: &turn.RelayAddressGeneratorPortRange{
				RelayAddress: net.ParseIP(*address),
				Address:      *address,
				MinPort:      uint16(*lowest),
				MaxPort:      uint16(*highest),
			},
		}},
	})
	check(err, "server")
	ends := make(chan os.Signal, 1)
	signal.Notify(ends, syscall.SIGINT, syscall.SIGTERM)
	<-ends
	check(server.Close(), "close")
}
