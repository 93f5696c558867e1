// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/binary"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/pion/stun"
)

type transaction [stun.TransactionIDSize]byte

// A tap sits between pion's client and its socket. It counts what passes, checks what the client
// does not, and asks for what the client has no option for: it changes requests on their way out
// and signs them again.
type tap struct {
	net.PacketConn
	family   byte   // REQUESTED-ADDRESS-FAMILY of Allocate requests; 0: leave it out
	lifetime uint32 // LIFETIME of Allocate requests; 0: leave it out

	lock      sync.Mutex
	foreign   []byte                 // the nonce in place of the right one: see isToBeStale()
	seen      map[stun.Method]int    // requests of a method while there is a foreign nonce
	changed   map[transaction][]byte // requests as they were sent, for when they are sent again
	answered  map[transaction]bool
	integrity stun.MessageIntegrity

	responses                            map[string]int
	faults                               []string
	sendIndications, dataIndications     int
	channelDataSent, channelDataReceived int
	deleted                              chan struct{}
}

func newTap(conn net.PacketConn) *tap {
	return &tap{
		PacketConn: conn,
		seen:       map[stun.Method]int{},
		changed:    map[transaction][]byte{},
		answered:   map[transaction]bool{},
		responses:  map[string]int{},
		faults:     []string{},
		deleted:    make(chan struct{}, 1),
	}
}

func (t *tap) setForeign(nonce []byte) {
	t.lock.Lock()
	defer t.lock.Unlock()
	t.foreign = nonce
}

func (t *tap) waitForDeletion(patience time.Duration) error {
	select {
	case <-t.deleted:
		return nil
	case <-time.After(patience):
		return fmt.Errorf("no response to a Refresh request with lifetime 0")
	}
}

func (t *tap) WriteTo(data []byte, to net.Addr) (int, error) {
	_, err := t.PacketConn.WriteTo(t.outgoing(data), to)
	return len(data), err
}

func (t *tap) ReadFrom(buffer []byte) (int, net.Addr, error) {
	length, from, err := t.PacketConn.ReadFrom(buffer)
	if err == nil {
		t.incoming(buffer[:length])
	}
	return length, from, err
}

func (t *tap) outgoing(data []byte) []byte {
	t.lock.Lock()
	defer t.lock.Unlock()
	if !stun.IsMessage(data) {
		t.channelDataSent++
		return data
	}
	request := &stun.Message{Raw: append([]byte(nil), data...)}
	check(request.Decode(), "own message")
	if request.Type.Class == stun.ClassIndication {
		t.sendIndications++
		return data
	}
	if !request.Contains(stun.AttrNonce) {
		return data
	}
	if _, isKnown := t.changed[request.TransactionID]; !isKnown {
		t.changed[request.TransactionID] = t.change(request)
	}
	return t.changed[request.TransactionID]
}

// Every other Refresh request has a stale nonce, and the first CreatePermission request: after it
// pion forgets that the second one succeeded, and makes another. A ChannelBind request has none:
// after it pion would give up the channel.
func (t *tap) isToBeStale(method stun.Method) bool {
	if t.foreign == nil {
		return false
	}
	t.seen[method]++
	return method == stun.MethodRefresh && t.seen[method]%2 == 1 ||
		method == stun.MethodCreatePermission && t.seen[method] == 1
}

// change returns a signed request as we want it.
func (t *tap) change(request *stun.Message) []byte {
	var realm stun.Realm
	check(realm.GetFrom(request), "own REALM")
	t.integrity = stun.NewLongTermIntegrity(*user, realm.String(), *password)

	method := request.Type.Method
	isStale := t.isToBeStale(method)
	made := stun.New()
	made.TransactionID = request.TransactionID
	made.Type = request.Type
	made.WriteHeader()
	for _, attribute := range request.Attributes {
		switch {
		case attribute.Type == stun.AttrNonce && isStale:
			made.Add(attribute.Type, t.foreign)
		case attribute.Type != stun.AttrMessageIntegrity && attribute.Type != stun.AttrFingerprint:
			made.Add(attribute.Type, attribute.Value)
		}
	}
	if method == stun.MethodAllocate && t.family != 0 {
		made.Add(stun.AttrRequestedAddressFamily, []byte{t.family, 0, 0, 0})
	}
	if method == stun.MethodAllocate && t.lifetime != 0 {
		value := make([]byte, 4)
		binary.BigEndian.PutUint32(value, t.lifetime)
		made.Add(stun.AttrLifetime, value)
	}
	check(t.integrity.AddTo(made), "sign")
	check(stun.Fingerprint.AddTo(made), "fingerprint")
	return made.Raw
}

func (t *tap) incoming(data []byte) {
	t.lock.Lock()
	defer t.lock.Unlock()
	if !stun.IsMessage(data) {
		t.channelDataReceived++
		return
	}
	message := &stun.Message{Raw: append([]byte(nil), data...)}
	if err := message.Decode(); err != nil {
		t.fault("a broken message", err)
		return
	}
	if message.Type.Class == stun.ClassIndication {
		t.dataIndications++
		return
	}
	if t.answered[message.TransactionID] {
		return // the client has asked twice
	}
	t.answered[message.TransactionID] = true
	t.response(message)
}

// pion's client believes responses without a look at their integrity and fingerprint.
func (t *tap) response(message *stun.Message) {
	name := message.Type.Method.String()
	isProofDue := message.Type.Method != stun.MethodBinding
	if message.Type.Class == stun.ClassErrorResponse {
		var code stun.ErrorCodeAttribute
		if err := code.GetFrom(message); err != nil {
			t.fault(name, err)
		}
		name = fmt.Sprintf("%s %d", name, code.Code)
		isProofDue = code.Code != stun.CodeUnauthorized && code.Code != stun.CodeStaleNonce
	}
	t.responses[name]++
	if isProofDue {
		if err := t.integrity.Check(message); err != nil {
			t.fault(name, err)
		}
	}
	if message.Type.Method != stun.MethodBinding { // all our other requests have one
		if err := stun.Fingerprint.Check(message); err != nil {
			t.fault(name, err)
		}
	}
	value, err := message.Get(stun.AttrLifetime)
	if message.Type.Method == stun.MethodRefresh && err == nil && binary.BigEndian.Uint32(value) == 0 {
		t.deleted <- struct{}{}
	}
}

func (t *tap) fault(name string, err error) {
	t.faults = append(t.faults, fmt.Sprintf("%s: %v", name, err))
}
