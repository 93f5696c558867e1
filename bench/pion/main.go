// SPDX-License-Identifier: Apache-2.0

// A TURN server of pion/turn, as its examples make one, to measure beside the relay: one socket,
// the long-term credential of one user, relayed ports from a range. With -guarded it has what the
// library offers against the findings of fairlead-probe attack: a PermissionHandler.
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
	guarded  = flag.Bool("guarded", false, "deny peers that are not on the Internet, and itself")
)

// What is not of the Internet, beside what net.IP knows by name.
var special = parse("0.0.0.0/8", "100.64.0.0/10", "168.63.129.16/32", "192.0.0.0/24",
	"192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
	"240.0.0.0/4")

func parse(texts ...string) (found []*net.IPNet) {
	for _, text := range texts {
		_, one, err := net.ParseCIDR(text)
		check(err, "parse")
		found = append(found, one)
	}
	return found
}

func mayBePeer(_ net.Addr, peer net.IP) bool {
	// Those that hold an IPv4 address have 16 bytes too, as all have in package net.
	ip := peer.To4()
	if ip == nil || ip.IsLoopback() || ip.IsPrivate() || ip.IsLinkLocalUnicast() ||
		ip.IsMulticast() || ip.Equal(net.ParseIP(*address)) {
		return false
	}
	for _, one := range special {
		if one.Contains(ip) {
			return false
		}
	}
	return true
}

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
	var handler turn.PermissionHandler
	if *guarded {
		handler = mayBePeer
	}
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
			PermissionHandler: handler,
		}},
	})
	check(err, "server")
	ends := make(chan os.Signal, 1)
	signal.Notify(ends, syscall.SIGINT, syscall.SIGTERM)
	<-ends
	check(server.Close(), "close")
}
