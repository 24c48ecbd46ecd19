module example.test/reader

go 1.21
