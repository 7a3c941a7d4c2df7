// What the client does with files: read, edit and save a document.

package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
)

const started = `{"protocol":1,"client":{"name":"go-client","version":"1.0","language":"Go"},` +
	`"roles":["reader","editor"],"documents":["request.v1","result.v1"]}`

const maxBytes = 64 << 20

// perform does what one message asks for, and returns what a person would see.
func perform(m message) (any, error) {
	document, warnings, err := load(m.Document, m.Input)
	if err != nil {
		return nil, err
	}
	if m.Op == "read" {
		shown := view(m.Document, document)
		shown["warnings"] = warnings
		return shown, nil
	}
	if len(warnings) > 0 {
		return nil, &refusal{"DOCUMENT_VERSION_UNSUPPORTED", "/version", "A newer version is not saved here."}
	}
	if err := edit(m, document); err != nil {
		return nil, err
	}
	return map[string]any{}, save(m.Output, ordered(document, documents[m.Document]))
}

// load reads a document, and refuses one that is not valid.
func load(name, path string) (document *object, warnings []string, err error) {
	if info, err := os.Lstat(path); err != nil || !info.Mode().IsRegular() {
		return nil, nil, &refusal{"FILE_NOT_FOUND", "", "There is no regular file at the path."}
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxBytes+1))
	if err != nil {
		return nil, nil, err
	}
	if len(data) > maxBytes {
		return nil, nil, &refusal{"JSON_TOO_LARGE", "", "The document is too large."}
	}
	parsed, err := parseJSON(data)
	if err != nil {
		return nil, nil, err
	}
	warnings, r := check(name, parsed)
	if r != nil {
		return nil, nil, r
	}
	return parsed.(*object), warnings, nil
}

// edit makes all changes in memory; after an error nothing of them is saved.
func edit(m message, document *object) error {
	if len(m.Params.Set) > 0 {
		set, err := parseJSON(m.Params.Set)
		if err != nil {
			return err
		}
		changes := set.(*object)
		for _, pointer := range changes.keys {
			if r := change(document, pointer, changes.values[pointer], false); r != nil {
				return r
			}
		}
	}
	for _, pointer := range m.Params.Remove {
		if r := change(document, pointer, nil, true); r != nil {
			return r
		}
	}
	if warnings, r := check(m.Document, document); r != nil {
		return r
	} else if len(warnings) > 0 {
		return invalid("/version", "is not 1")
	}
	return nil
}

// save replaces the file in one step: others read the old document or the new one. Its mode stays.
func save(path string, document value) error {
	var data bytes.Buffer
	json.Indent(&data, appendJSON(nil, document), "", "  ")
	data.WriteByte('\n')
	file, err := os.CreateTemp(filepath.Dir(path), ".save-*")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	mode := os.FileMode(0o644)
	if info, err := os.Stat(path); err == nil {
		mode = info.Mode().Perm()
	}
	_, err = file.Write(data.Bytes())
	for _, step := range []func() error{
		file.Close,
		func() error { return os.Chmod(file.Name(), mode) },
		func() error { return os.Rename(file.Name(), path) },
	} {
		if failed := step(); err == nil {
			err = failed
		}
	}
	return err
}
