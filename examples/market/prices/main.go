// Answers GET /<item> with its price.
package main

import (
	"fmt"
	"net/http"
	"os"
	"strings"
)

var prices = map[string]int{"pen": 3, "lamp": 40, "desk": 250}

func main() {
	http.HandleFunc("/", func(answer http.ResponseWriter, request *http.Request) {
		item := strings.TrimPrefix(request.URL.Path, "/")
		price, ok := prices[item]
		if !ok {
			http.Error(answer, "nobody sells "+item, http.StatusNotFound)
			return
		}
		fmt.Fprint(answer, price)
	})
	fmt.Println(len(prices), "prices")
	if err := http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), nil); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
