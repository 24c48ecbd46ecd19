// Looks four words up in the dictionary, through its own sidecar.
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
)

func call(method, path string) (int, string) {
	request, err := http.NewRequest(method, "http://localhost:"+os.Getenv("DAPR_HTTP_PORT")+path, nil)
	if err != nil {
		return 0, err.Error()
	}
	request.Header.Set("dapr-app-id", "dictionary")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err.Error()
	}
	defer answer.Body.Close()
	body, _ := io.ReadAll(answer.Body)
	return answer.StatusCode, strings.TrimSpace(string(body))
}

func main() {
	for _, word := range []string{"pillion", "sidecar", "dapper", "daemon"} {
		_, meaning := call("GET", "/words/"+word)
		fmt.Printf("%s: %s\n", word, meaning)
	}
	if status, answer := call("DELETE", "/"); status != http.StatusOK {
		fmt.Fprintln(os.Stderr, answer)
		os.Exit(1)
	}
}
