package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// reject is a row that was not stored, as it is written to the file of them.
type reject struct {
	Line    int64  `json:"line"`    // on which it begins, from 1
	Row     string `json:"row"`     // as it stands in the file
	Reason  string `json:"reason"`  // for programs: a reason of the API, or MALFORMED_ROW
	Message string `json:"message"` // for people
}

// rejectFile is the file of rejected rows. There is none before the first of them.
type rejectFile struct {
	wanted string // name; if there is such a file a number is put behind it
	name   string // that it got
	file   *os.File
}

// add appends a row. It is written at once, so that an import that is cut off leaves the
// rows that it has found.
func (f *rejectFile) add(r reject) error {
	if f.file == nil {
		if err := f.create(); err != nil {
			return err
		}
	}
	encoder := json.NewEncoder(f.file)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(r); err != nil {
		return fmt.Errorf("write rejected rows: %w", err)
	}
	return nil
}

// create makes the file.
func (f *rejectFile) create() error {
	if err := f.open(); err != nil {
		f.name = ""
		return fmt.Errorf("a row was rejected, and there is no place for it: %w; name another by --rejects", err)
	}
	return nil
}

// open opens the file under the first name that is free: rejected rows of an earlier import
// are never overwritten. A device or a pipe, such as /dev/null, is written to as it is.
func (f *rejectFile) open() (err error) {
	f.name = f.wanted
	if info, err := os.Stat(f.name); err == nil && info.Mode()&(fs.ModeDevice|fs.ModeNamedPipe) != 0 {
		f.file, err = os.OpenFile(f.name, os.O_WRONLY, 0)
		return err
	}
	for number := 2; ; number++ {
		f.file, err = os.OpenFile(f.name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
		if !errors.Is(err, fs.ErrExist) {
			return err
		}
		f.name = fmt.Sprintf("%s.%d", f.wanted, number)
	}
}

func (f *rejectFile) close() error {
	if f.file == nil {
		return nil
	}
	return f.file.Close()
}
