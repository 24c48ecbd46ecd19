/**
 * node:http. An ES import of it reads its every export, and with that loads all of undici behind a lazy one: 25 ms and
 * 16 MB of each run (Node 26). Its types may be imported as usual.
 */
export const http = process.getBuiltinModule('node:http')
