// Command fakepostgres answers --version with the text of the file "version" beside it.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	self, err := os.Executable()
	if err != nil {
		panic(err)
	}
	text, err := os.ReadFile(filepath.Join(filepath.Dir(self), "version"))
	if err != nil {
		panic(err)
	}
	fmt.Printf("postgres (PostgreSQL) %s", text)
}
