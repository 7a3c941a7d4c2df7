// A reader and editor of RunForge's request.v1 and result.v1, with its harness for the suite.
package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

const (
	started = `{"protocol":1,"client":{"name":"go-client","version":"1.0","language":"Go"},` +
		`"roles":["reader","editor"],"documents":["request.v1","result.v1"]}`
	maxBytes = 64 << 20
)

func main() {
	for lines := bufio.NewReader(os.Stdin); ; {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return
		}
		parsed, err := parseJSON(line)
		if err != nil {
			panic(err)
		}
		message := parsed.(*object)
		switch message.values["cmd"] {
		case "start":
			fmt.Println(started)
		case "run":
			fmt.Printf("%s\n", appendJSON(nil, answer(message), ""))
		case "stop":
			return
		}
	}
}

func answer(message *object) *object {
	result := part(message, "seq")
	shown, err := perform(message)
	if r, refused := err.(*refusal); refused {
		result.set("outcome", "rejected")
		details := &object{values: map[string]value{}}
		details.set("code", r.code)
		details.set("path", r.path)
		details.set("message", r.message)
		result.set("error", details)
	} else if err != nil {
		result.set("outcome", "errored")
		context := &object{values: map[string]value{}}
		context.set("error", err.Error())
		result.set("context", context)
	} else {
		result.set("outcome", "accepted")
		result.set("view", shown)
	}
	return result
}

// perform does what one message asks for.
func perform(message *object) (*object, error) {
	name, _ := message.values["document"].(string)
	input, _ := message.values["input"].(string)
	document, warning, err := load(name, input)
	if err != nil {
		return nil, err
	}
	if message.values["op"] == "read" {
		shown := view(name, document)
		warnings := list{}
		if warning != "" {
			warnings = list{warning}
		}
		shown.set("warnings", warnings)
		return shown, nil
	}
	output, _ := message.values["output"].(string)
	params, _ := message.values["params"].(*object)
	if warning != "" {
		return nil, &refusal{"DOCUMENT_VERSION_UNSUPPORTED", "/version", "A newer version is not saved here."}
	}
	if err := edit(name, document, params); err != nil {
		return nil, err
	}
	return &object{}, save(name, document, output)
}

func load(name, path string) (document *object, warning string, err error) {
	if info, err := os.Lstat(path); err != nil || !info.Mode().IsRegular() {
		return nil, "", &refusal{"FILE_NOT_FOUND", "", "There is no regular file at the path."}
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, "", err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxBytes+1))
	if err != nil {
		return nil, "", err
	}
	if len(data) > maxBytes {
		return nil, "", &refusal{"JSON_TOO_LARGE", "", "The document is too large."}
	}
	parsed, err := parseJSON(data)
	if err != nil {
		return nil, "", err
	}
	warning, r := checkDocument(name, parsed)
	if r != nil {
		return nil, "", r
	}
	return parsed.(*object), warning, nil
}

// edit makes all changes of a message; what it leaves after an error is not saved.
func edit(name string, document *object, params *object) error {
	if params == nil {
		return nil
	}
	if changes, ok := params.values["set"].(*object); ok {
		for _, pointer := range changes.keys {
			if _, r := change(document, pointer, changes.values[pointer], false); r != nil {
				return r
			}
		}
	}
	if removed, ok := params.values["remove"].(list); ok {
		for _, pointer := range removed {
			if _, r := change(document, pointer.(string), nil, true); r != nil {
				return r
			}
		}
	}
	if warning, r := checkDocument(name, document); r != nil {
		return r
	} else if warning != "" {
		return invalid("/version", "is not 1")
	}
	return nil
}

// save replaces the file in one step, so that a reader sees the old document or the new one.
func save(name string, document *object, path string) error {
	data := append(appendJSON(nil, ordered(document, documents[name]), "\n"), '\n')
	file, err := os.CreateTemp(filepath.Dir(path), ".save-*")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	mode := os.FileMode(0o644)
	if info, err := os.Stat(path); err == nil {
		mode = info.Mode().Perm()
	}
	_, err = file.Write(data)
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Chmod(file.Name(), mode)
	}
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	return err
}
