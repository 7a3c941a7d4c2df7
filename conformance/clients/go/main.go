// A reader and editor of request.v1 and result.v1. This file is its harness: it speaks the protocol
// of the conformance suite, one JSON object a line.
package main

import (
	"encoding/json"
	"fmt"
	"os"
)

// message is what the suite sends.
type message struct {
	Cmd, Op, Document, Input, Output string
	Seq                              int
	Params                           struct {
		Set    json.RawMessage
		Remove []string
	}
}

// answer is what the suite receives.
type answer struct {
	Seq     int               `json:"seq"`
	Outcome string            `json:"outcome"`
	View    any               `json:"view,omitempty"`
	Error   *refusal          `json:"error,omitempty"`
	Context map[string]string `json:"context,omitempty"`
}

// refusal is an error of the contract: a code, a JSON Pointer into the document, and a sentence.
type refusal struct {
	Code    string `json:"code"`
	Path    string `json:"path"`
	Message string `json:"message"`
}

func (r *refusal) Error() string { return r.Message }

func main() {
	out := json.NewEncoder(os.Stdout)
	for in := json.NewDecoder(os.Stdin); ; {
		var m message
		if in.Decode(&m) != nil || m.Cmd == "stop" {
			return
		}
		if m.Cmd == "start" {
			fmt.Println(started)
		} else {
			out.Encode(respond(m))
		}
	}
}

func respond(m message) answer {
	view, err := perform(m)
	if r, refused := err.(*refusal); refused {
		return answer{Seq: m.Seq, Outcome: "rejected", Error: r}
	} else if err != nil {
		return answer{Seq: m.Seq, Outcome: "errored", Context: map[string]string{"error": err.Error()}}
	}
	return answer{Seq: m.Seq, Outcome: "accepted", View: view}
}
