import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'
import {bestLine} from '../../../../src/supervisor/messages/best-line.ts'

const LAST_WORDS: Readonly<Record<string, readonly [text: string, best: string]>> = {
  Node: [
    `node:net:1937
      const ex = new UVExceptionWithHostPort(err, 'listen', address, port);
                 ^

Error: listen EADDRINUSE: address already in use :::3000
    at Server.setupListenHandle [as _listen2] (node:net:1937:16)
    at listenInCluster (node:net:1994:12) {
  code: 'EADDRINUSE',
  errno: -98,
  syscall: 'listen',
  address: '::',
  port: 3000
}

Node.js v22.22.0`,
    'Error: listen EADDRINUSE: address already in use :::3000'
  ],
  'npm behind Node': [
    `TypeError [ERR_INVALID_ARG_TYPE]: The "path" argument must be of type string
    at Object.<anonymous> (/app/index.js:1:1)
npm error Lifecycle script \`start\` failed with error:
npm error code 1
npm error path /app`,
    'TypeError [ERR_INVALID_ARG_TYPE]: The "path" argument must be of type string'
  ],
  Python: [
    `Traceback (most recent call last):
  File "/app/main.py", line 3, in <module>
    import fastapi
ModuleNotFoundError: No module named 'fastapi'`,
    "ModuleNotFoundError: No module named 'fastapi'"
  ],
  uvicorn: [
    `INFO:     Started server process [7]
ERROR:    Traceback (most recent call last):
  File "/app/main.py", line 9, in lifespan
    raise RuntimeError("no database")
RuntimeError: no database

ERROR:    Application startup failed. Exiting.`,
    'RuntimeError: no database'
  ],
  Go: [
    `2026/11/20 18:00:00 listening
panic: runtime error: index out of range [3] with length 3

goroutine 1 [running]:
main.main()
\t/app/main.go:9 +0x1d
exit status 2`,
    'panic: runtime error: index out of range [3] with length 3'
  ],
  'Go, log.Fatal': [
    '2026/11/20 18:00:00 dial tcp 127.0.0.1:5432: connect: connection refused\nexit status 1',
    '2026/11/20 18:00:00 dial tcp 127.0.0.1:5432: connect: connection refused'
  ],
  Java: [
    `Exception in thread "main" java.lang.IllegalStateException: no pool
\tat shop.Main.main(Main.java:3)
Caused by: java.net.ConnectException: Connection refused
\tat java.base/sun.nio.ch.Net.pollConnect(Native Method)
\t... 12 more`,
    'Caused by: java.net.ConnectException: Connection refused'
  ],
  '.NET': [
    `Unhandled exception. System.IO.IOException: Failed to bind to address http://127.0.0.1:5000: address already in use.
   at Microsoft.AspNetCore.Server.Kestrel.Main()`,
    'Unhandled exception. System.IO.IOException: Failed to bind to address http://127.0.0.1:5000: address already in use.'
  ],
  Rust: [
    `thread 'main' panicked at src/main.rs:2:5:
no luck
note: run with \`RUST_BACKTRACE=1\` environment variable to display a backtrace`,
    "thread 'main' panicked at src/main.rs:2:5: no luck"
  ],
  Ruby: [
    `app.rb:1:in 'Object#boom': out of cards (RuntimeError)
\tfrom app.rb:3:in '<main>'`,
    "app.rb:1:in 'Object#boom': out of cards (RuntimeError)"
  ],
  'a shell': ['sh: 1: exec: foo: not found', 'sh: 1: exec: foo: not found'],
  'no error at all': ['starting\nbye', 'bye'],
  colours: ['\x1b[31mfatal: no disk\x1b[0m\nbye', 'fatal: no disk'],
  'a bracket alone': ['}', '}'],
  nothing: ['', '']
}

for (const [name, [text, best]] of Object.entries(LAST_WORDS))
  t.test(`the line that says most: ${name}`, async t => {
    t.equal(bestLine(text.split('\n')), best)
  })

/** What `process.abort()` of Node prints. */
const ABORTED = `----- Native stack trace -----

 1: 0x840e50  [node]
 2: 0x8410bd node::OOMErrorHandler(char const*, v8::OOMDetails const&) [node]
 3: 0x7fd523dcfae9 

----- JavaScript stack trace -----

1: file:///shop/orders.mjs:2:143
2: emit (node:events:514:20)
`.split('\n')

/** Of programs that really ended so, the parts `=== NAME STREAM` of `test/fixtures/last-words.txt`. */
const REAL: Readonly<Record<string, string>> = {
  'node-cause': '[cause]: Error: connect ECONNREFUSED 127.0.0.1:5999',
  'node-fetch': '[cause]: Error: connect ECONNREFUSED 127.0.0.1:5999',
  'node-multi': 'PriceMissing: of item 7',
  'node-throwtext': 'just text',
  'node-reject-text':
    'UnhandledPromiseRejection: This error originated either by throwing inside of an async function without a catch block, or by rejecting a promise which was not handled with .catch(). The promise rejected with the reason "no database".',
  'node-oom':
    'FATAL ERROR: Ineffective mark-compacts near heap limit Allocation failed - JavaScript heap out of memory',
  'npm-start': '[cause]: Error: connect ECONNREFUSED 127.0.0.1:5999',
  'npm-build': "bad.ts(1,7): error TS2322: Type 'string' is not assignable to type 'number'.",
  'npm-nothing': 'npm error Missing script: "nothing"',
  'npm-nopackage':
    "npm error enoent Could not read package.json: Error: ENOENT: no such file or directory, open '/app/package.json'",
  make: 'NotConfigured: no key for payments',
  'tsx-run': "TypeError: Cannot read properties of undefined (reading 'x')",
  'tsx-syn': 'Error: Transform failed with 1 error: /app/node/syn.ts:1:18: ERROR: Unexpected ";"',
  'py-chain': 'RuntimeError: cannot load the prices',
  'py-group': "KeyError: 'two'",
  'py-own': 'NotConfigured: no key for payments',
  'py-warned': "FileNotFoundError: [Errno 2] No such file or directory: 'nope.json'",
  'uv-lifespan': 'RuntimeError: no database',
  'uv-inuse':
    "ERROR:    [Errno 98] error while attempting to bind on address ('127.0.0.1', 5996): address already in use",
  'uv-noapp': 'ERROR:    Error loading ASGI app. Could not import module "nothing".',
  'flask-inuse':
    'Port 5997 is in use by another program. Either identify and stop that program, or start the server with a different port.',
  'go-compile': 'compile/main.go:2:8: "fmt" imported and not used',
  'go-nilp': 'panic: runtime error: invalid memory address or nil pointer dereference',
  'go-rec': 'panic: second: first',
  'go-two': '2026/11/23 13:53:05 ERROR cannot open the shop err="no database"',
  'java-bad': 'java/Bad.java:1: error: incompatible types: String cannot be converted to int',
  'java-cause': 'Caused by: java.net.ConnectException: Connection refused',
  'java-noclass': 'Caused by: java.lang.ClassNotFoundException: shop.Main',
  'spring-inuse': 'Description: Web server failed to start. Port 5993 was already in use.',
  mvn: '[ERROR] Failed to execute goal org.apache.maven.plugins:maven-compiler-plugin:3.1:compile (default-compile) on project shop: Execution default-compile of goal',
  'mvn-compile':
    '[ERROR] /app/src/main/java/shop/Stock.java:[4,17] incompatible types: java.lang.String cannot be converted to int',
  'spring-database': 'Caused by: org.postgresql.util.PSQLException: Connection to localhost:28099 refused.',
  'tsc-pretty': "a.ts:1:7 - error TS2322: Type 'string' is not assignable to type 'number'.",
  esbuild: '✘ [ERROR] Expected identifier but found "=" (b.ts:2:6)',
  vite: '/app/b.ts:2:6: ERROR: Expected identifier but found "="',
  'rs-compile': 'error[E0308]: mismatched types',
  'rs-run': "thread 'main' (3123) panicked at src/main.rs:1:55: index out of bounds: the len is 0 but the index is 3"
}

t.test('the line that says most of programs that really ended so', async t => {
  const text = readFileSync(join(import.meta.dirname, '../../../fixtures/last-words.txt'), 'utf8')
  const parts = new Map(
    text.split(/^=== /m).map(part => [part.slice(0, part.indexOf('\n')), part.trimEnd().split('\n').slice(1)])
  )
  for (const [name, best] of Object.entries(REAL)) {
    const [stderr = [], stdout = []] = [parts.get(`${name} stderr`), parts.get(`${name} stdout`)]
    t.ok(stderr.length + stdout.length > 0, `${name} is there`)
    t.equal(bestLine(stderr, stdout).slice(0, best.length), best, name)
  }
})

t.test('a process that aborts itself says nothing of why: its stacks are none', async t => {
  t.equal(bestLine(ABORTED), '')
  t.equal(bestLine(['no rates since noon', ...ABORTED]), 'no rates since noon')
})

t.test('a line of stdout counts if it tells of a failure, and stderr has none', async t => {
  t.equal(bestLine(['starting'], ['Error: no database', 'bye']), 'Error: no database')
  t.equal(bestLine(['cannot go on'], ['Error: no database']), 'cannot go on')
  t.equal(bestLine(['starting'], ['listening', '2026-11-23T10:00:00Z INFO no errors so far']), 'starting')
  t.equal(bestLine([], ['listening']), '')
})

t.test('what a logger says of the ordinary run explains no end', async t => {
  for (const line of [
    'INFO:     Uvicorn running on http://127.0.0.1:8000 (Press CTRL+C to quit)',
    '2026-11-24 03:10:55 INFO  listening',
    '[03:10:55 INF] Now listening on: http://localhost:5000',
    'info: Microsoft.Hosting.Lifetime[14]',
    '[info] listening',
    '{"level":"info","msg":"listening"}',
    '{"level":30,"time":1763953855000,"msg":"listening"}',
    'time=2026-11-24T03:10:55Z level=INFO msg=listening',
    'I1124 03:10:55.120000    1 main.go:12] listening',
    '2026-11-24 03:10:55.120 UTC [71] LOG:  database system is shut down'
  ])
    t.equal(bestLine([line]), '', line)
  t.equal(bestLine(['bye', 'INFO:     Shutting down']), 'bye', 'the line before it does')
  t.equal(bestLine(['information desk is closed']), 'information desk is closed')
})

t.test('a syntax error says where', async t => {
  const python = [
    '  File "/app/main.py", line 7',
    '    def charge(',
    '              ^',
    "SyntaxError: '(' was never closed"
  ]
  t.equal(bestLine(python), `SyntaxError: '(' was never closed (File "/app/main.py", line 7)`)
  const indented = ['  File "/app/a.py", line 2', '    x = 1', 'IndentationError: unexpected indent']
  t.equal(bestLine(indented), 'IndentationError: unexpected indent (File "/app/a.py", line 2)')
  const node = [
    '/app/main.js:3',
    'const = 4',
    '      ^',
    '',
    "SyntaxError: Unexpected token '='",
    '    at wrapSafe (node:x:1:2)'
  ]
  t.equal(bestLine(node), "SyntaxError: Unexpected token '=' (/app/main.js:3)")
  const parsed = [
    '<anonymous_script>:1',
    '{',
    '^',
    'SyntaxError: Unexpected end of JSON input',
    '    at JSON.parse (<anonymous>)'
  ]
  t.equal(bestLine(parsed), 'SyntaxError: Unexpected end of JSON input', 'of data: no place in a file')
})

t.test('a line without end is cut', async t => {
  t.equal(bestLine([`Error: ${'x'.repeat(1000)}`]).length, 300)
})

t.test('long lines cost little: Node quotes the source, which may be minified', async t => {
  const source = 'a('.repeat(1_000_000)
  t.equal(bestLine([source, ' '.repeat(1_000_000) + '.', 'Error: no luck']), 'Error: no luck')
  t.equal(bestLine([source]).length, 300)
})
