// Answers GET /words/<word> with its meaning; ends when the reader closes the book (DELETE /).
package main

import (
	"fmt"
	"net/http"
	"os"
	"strings"
)

var meanings = map[string]string{
	"pillion": "a seat behind the rider",
	"sidecar": "a seat beside the rider",
	"dapper":  "neat and trim",
}

func main() {
	over := make(chan struct{})
	http.HandleFunc("/words/", func(answer http.ResponseWriter, request *http.Request) {
		word := strings.TrimPrefix(request.URL.Path, "/words/")
		if meaning, ok := meanings[word]; ok {
			fmt.Fprint(answer, meaning)
			return
		}
		http.Error(answer, "not in this dictionary", http.StatusNotFound)
	})
	http.HandleFunc("/", func(answer http.ResponseWriter, request *http.Request) {
		if request.Method == http.MethodDelete {
			fmt.Fprint(answer, "closed")
			close(over)
		}
	})
	go func() {
		if err := http.ListenAndServe("127.0.0.1:"+os.Getenv("APP_PORT"), nil); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}()
	fmt.Println("open,", len(meanings), "words")
	<-over
	fmt.Println("closed")
}
