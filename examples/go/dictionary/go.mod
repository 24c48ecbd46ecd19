module example.test/dictionary

go 1.21
