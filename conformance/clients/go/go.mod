module runforge.dev/conformance/go

go 1.19
