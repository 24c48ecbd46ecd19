/** The module node:http. An ES import would read all exports, one of which loads undici (25 ms and 16 MB, Node 26). Types may be imported. */
export const http = process.getBuiltinModule('node:http')
