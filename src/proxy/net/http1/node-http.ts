/**
 * node:http, without an ES import: that reads all its exports, one of which loads undici lazily, at 25 ms and 16 MB for each
 * run (Node 26). Types may be imported as usual.
 */
export const http = process.getBuiltinModule('node:http')
