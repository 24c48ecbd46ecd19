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

t.test('a line without end is cut', async t => {
  t.equal(bestLine([`Error: ${'x'.repeat(1000)}`]).length, 300)
})

t.test('long lines cost little: Node quotes the source, which may be minified', async t => {
  const source = 'a('.repeat(1_000_000)
  t.equal(bestLine([source, ' '.repeat(1_000_000) + '.', 'Error: no luck']), 'Error: no luck')
  t.equal(bestLine([source]).length, 300)
})
