// SPDX-License-Identifier: Apache-2.0

// One run of pion's TURN client, of which pion_test.py reads the story as JSON: it allocates,
// permits, exchanges numbered packets with a peer that echoes, holds on, and lets go.
package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/pion/stun"
	"github.com/pion/transport/stdnet" // v2, which Debian keeps here
	"github.com/pion/turn/v2"
)

const (
	window  = 32 // packets under way: far below what a socket's queue holds
	longest = 1200
	patient = 10 * time.Second
)

var (
	server   = flag.String("server", "", "address and port of the relay")
	peer     = flag.String("peer", "", "address and port of the peer")
	user     = flag.String("user", "alice", "")
	password = flag.String("password", "wonder", "")
	count    = flag.Int("count", 1000, "packets to exchange")
	hold     = flag.Duration("hold", 0, "for how long to go on with a packet now and then")
	family   = flag.Int("family", 0, "REQUESTED-ADDRESS-FAMILY, 1 or 2")
	lifetime = flag.Int("lifetime", 0, "LIFETIME of the Allocate request, in seconds")
	stale    = flag.Bool("stale", false, "let nonces be stale now and then")
	abandon  = flag.Bool("abandon", false, "end without a word to the relay")
)

// bothFamilies looks up addresses of IPv6 too. pion's client takes what its Net finds for "udp4".
type bothFamilies struct{ *stdnet.Net }

func (bothFamilies) ResolveUDPAddr(_, address string) (*net.UDPAddr, error) {
	return net.ResolveUDPAddr("udp", address)
}

func check(err error, doing string) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", doing, err)
		os.Exit(1)
	}
}

func open() (*tap, *turn.Client) {
	conn, err := net.ListenPacket("udp", net.JoinHostPort(hostOf(*server), "0"))
	check(err, "listen")
	door := newTap(conn)
	system, err := stdnet.NewNet()
	check(err, "network")
	client, err := turn.NewClient(&turn.ClientConfig{
		STUNServerAddr: *server, TURNServerAddr: *server,
		Username: *user, Password: *password,
		Conn: door, Net: bothFamilies{system},
	})
	check(err, "client")
	check(client.Listen(), "listen")
	return door, client
}

// The relay is on this host: its address is also one to send from.
func hostOf(address string) string {
	host, _, err := net.SplitHostPort(address)
	check(err, "address")
	return host
}

// A nonce that the relay has made for another client.
func foreignNonce() []byte {
	_, client := open()
	defer client.Close()
	request, err := stun.Build(stun.TransactionID,
		stun.NewType(stun.MethodAllocate, stun.ClassRequest),
		stun.RawAttribute{Type: stun.AttrRequestedTransport, Value: []byte{17, 0, 0, 0}})
	check(err, "build")
	done, err := client.PerformTransaction(request, client.TURNServerAddr(), false)
	check(err, "challenge")
	nonce, err := done.Msg.Get(stun.AttrNonce)
	check(err, "nonce")
	return nonce
}

// Packet number n, of a length and content of its own.
func packet(number int) []byte {
	data := make([]byte, 4+number*7%(longest-4))
	binary.BigEndian.PutUint32(data, uint32(number))
	for i := 4; i < len(data); i++ {
		data[i] = byte(number + i)
	}
	return data
}

// Sends packets first..first+n-1, each once, and wants each back once from the peer.
func exchange(conn net.PacketConn, to net.Addr, first, n int) {
	credit := make(chan struct{}, window)
	go func() {
		for number := first; number < first+n; number++ {
			credit <- struct{}{}
			_, err := conn.WriteTo(packet(number), to)
			check(err, fmt.Sprintf("send packet %d", number))
		}
	}()
	seen := make(map[int]bool)
	buffer := make([]byte, 65536)
	for len(seen) < n {
		check(conn.SetReadDeadline(time.Now().Add(patient)), "deadline")
		length, from, err := conn.ReadFrom(buffer)
		check(err, fmt.Sprintf("receive after %d of %d packets", len(seen), n))
		if length < 4 || from.String() != to.String() {
			check(fmt.Errorf("%d bytes from %v", length, from), "receive")
		}
		number := int(binary.BigEndian.Uint32(buffer))
		if number < first || number >= first+n || seen[number] ||
			!bytes.Equal(buffer[:length], packet(number)) {
			check(fmt.Errorf("packet %d is wrong or comes again", number), "receive")
		}
		seen[number] = true
		<-credit
	}
}

func main() {
	flag.Parse()
	var foreign []byte
	if *stale {
		foreign = foreignNonce()
	}
	door, client := open()
	door.family, door.lifetime = byte(*family), uint32(*lifetime)

	mapped, err := client.SendBindingRequest()
	check(err, "Binding")
	conn, err := client.Allocate()
	check(err, "Allocate")
	to, err := net.ResolveUDPAddr("udp", *peer)
	check(err, "peer")

	door.setForeign(foreign)
	if !*stale { // this call leaves a stale nonce to its caller
		check(client.CreatePermission(to), "CreatePermission")
	}
	exchange(conn, to, 0, *count)
	number := *count
	for end := time.Now().Add(*hold); time.Now().Before(end); number++ {
		time.Sleep(200 * time.Millisecond)
		exchange(conn, to, number, 1)
	}
	door.setForeign(nil) // the last request is not repeated
	if !*abandon {
		check(conn.Close(), "close")
		check(door.waitForDeletion(patient), "close")
	}
	door.lock.Lock() // for good: a refresh may be under way
	check(json.NewEncoder(os.Stdout).Encode(map[string]interface{}{
		"local": door.LocalAddr().String(), "mapped": mapped.String(),
		"relayed": conn.LocalAddr().String(), "exchanged": number,
		"responses": door.responses, "faults": door.faults,
		"send_indications": door.sendIndications, "data_indications": door.dataIndications,
		"channel_data_sent": door.channelDataSent, "channel_data_received": door.channelDataReceived,
	}), "write")
}
