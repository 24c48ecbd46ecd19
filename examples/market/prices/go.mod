module prices

go 1.21
