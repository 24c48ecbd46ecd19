import t from 'tap'
import {portsIn} from '../../../src/run/taken-port.ts'

/** What servers print whose port is taken. */
const SAID: Readonly<Record<string, readonly string[]>> = {
  PostgreSQL: [
    '2026-01-31 14:46:29.113 UTC [4711] LOG:  could not bind IPv4 address "127.0.0.1": Address already in use',
    '2026-01-31 14:46:29.113 UTC [4711] HINT:  Is another postmaster already running on port 5433? If not, wait a few seconds and retry.'
  ],
  Redis: [
    '4711:M 31 Jan 2026 14:46:29.113 # Warning: Could not create server TCP listening socket 127.0.0.1:5433: bind: Address already in use'
  ],
  MariaDB: [
    "2026-01-31 14:46:29 0 [ERROR] Can't start server: Bind on TCP/IP port. Got error: 98: Address already in use",
    '2026-01-31 14:46:29 0 [ERROR] Do you already have another server running on port: 5433 ?'
  ],
  'Node.js': ['Error: listen EADDRINUSE: address already in use 127.0.0.1:5433'],
  Python: ["OSError: [Errno 98] error while attempting to bind on address ('127.0.0.1', 5433): address already in use"],
  Go: ['panic: listen tcp 127.0.0.1:5433: bind: address already in use'],
  Java: ['Web server failed to start. Port 5433 was already in use.'],
  NATS: [
    '[4711] 2026/01/31 14:46:29.113000 [FTL] Error listening on port: 127.0.0.1:5433, "listen tcp 127.0.0.1:5433: bind: address already in use"'
  ]
}

for (const [server, lines] of Object.entries(SAID))
  t.test(`the port that ${server} could not bind is among the numbers of its lines`, async t => {
    t.ok(portsIn(lines).has(5433))
    t.notOk(portsIn(lines).has(127), 'a part of an address is none')
  })

t.test('lines about anything else have none', async t => {
  t.same([...portsIn(['listening at 127.0.0.1:5433', 'order 4711', '']).values()], [])
  t.same([...portsIn(['port 70000: address already in use']).values()], [])
})
