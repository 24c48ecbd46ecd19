// The front: passes orders on to the app that takes them.
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
)

func main() {
	orders := fmt.Sprintf("http://127.0.0.1:%s/v1.0/invoke/orders/method/orders", os.Getenv("DAPR_HTTP_PORT"))
	http.HandleFunc("/orders", func(w http.ResponseWriter, r *http.Request) {
		answer, err := http.Post(orders, "application/json", r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer answer.Body.Close()
		w.WriteHeader(answer.StatusCode)
		io.Copy(w, answer.Body)
	})
	if err := http.ListenAndServe("127.0.0.1:"+os.Getenv("APP_PORT"), nil); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
