import t from 'tap'
import {Faults} from '../../../../../src/proxy/faults/faults.ts'
import {readFault} from '../../../../../src/files/config/fault.ts'
import {data, END_HEADERS, END_STREAM, frame, goAway, headers, HEADERS, onStream, reset} from '../frames.ts'
import {rawApp} from '../rig.ts'
import {echoClient, openTestGrpcPort} from './rig.ts'

t.test('an app that speaks no gRPC: its caller is told so', async t => {
  const http1 = await rawApp(t, socket => {
    socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
  })
  const port = await openTestGrpcPort(t, {appPort: http1, appProtocol: 'http'})
  t.match(await echoClient(t, port.port).call(), {
    code: 14,
    message:
      'connection error: desc = "error reading server preface: it speaks HTTP/1.1" ("b" has appProtocol http, not grpc)'
  })
  for (const [status, type, code] of [
    ['404', 'text/plain', 12],
    ['503', 'application/json', 14],
    ['200', 'text/html', 2],
    ['401', 'application/grpc', 16]
  ] as const) {
    const h2c = await rawApp(t, socket =>
      onStream(socket, stream => socket.write(headers(stream, {':status': status, 'content-type': type}), 'latin1'))
    )
    const open = await openTestGrpcPort(t, {appPort: h2c, appProtocol: 'h2c'})
    t.match(await echoClient(t, open.port).call(), {
      code,
      message: new RegExp(`^unexpected HTTP status code received from server: ${status}`)
    })
  }
})

/** What an app does with a call, in frames, and what its caller is told. */
const ODD_APPS: Readonly<Record<string, readonly [answer: (stream: number) => string, code: number, message: RegExp]>> =
  {
    'resets with CANCEL': [stream => reset(stream, 8), 1, /RST_STREAM with error code: CANCEL/],
    'resets with REFUSED_STREAM': [stream => reset(stream, 7), 14, /REFUSED_STREAM/],
    'resets with INTERNAL_ERROR': [stream => reset(stream, 2), 13, /INTERNAL_ERROR/],
    'says a head and resets': [
      stream => headers(stream, {':status': '200', 'content-type': 'application/grpc'}, 0) + reset(stream, 2),
      13,
      /INTERNAL_ERROR/
    ],
    'ends without a status': [
      stream => headers(stream, {':status': '200', 'content-type': 'application/grpc'}),
      13,
      /without sending trailers/
    ],
    'ends with data': [
      stream =>
        headers(stream, {':status': '200', 'content-type': 'application/grpc'}, 0) + data(stream, '\0\0\0\0\0', 1),
      13,
      /without sending trailers/
    ],
    'sends data before a head': [stream => data(stream, '\0\0\0\0\0'), 13, /data before a head/],
    'announces 4 GiB': [
      stream =>
        headers(stream, {':status': '200', 'content-type': 'application/grpc'}, 0) + data(stream, '\0\xff\xff\xff\xff'),
      8,
      /received message larger than max \(4294967295 vs\. 4194304\)/
    ],
    'breaks the protocol': [() => frame(0, {payload: 'abc'}), 14, /error reading from server: data of no stream/],
    'sends fields that are none': [
      stream => frame(1, {flags: 4, stream, payload: '\xff'}),
      14,
      /a field that is cut off/
    ],
    'sends a frame that is too large': [() => '\xff\xff\xff\0\0\0\0\0\0', 14, /too large/],
    pushes: [stream => frame(5, {flags: 4, stream, payload: '\0\0\0\x02'}), 14, /a push/]
  }

for (const [what, [answer, code, message]] of Object.entries(ODD_APPS)) {
  t.test(`an app that ${what}: a status, never a hang`, async t => {
    const appPort = await rawApp(t, socket => onStream(socket, stream => socket.write(answer(stream), 'latin1')))
    const grpcPort = await openTestGrpcPort(t, {appPort})
    t.match(await echoClient(t, grpcPort.port).call(), {code, message})
    t.equal(grpcPort.underWay(), 0)
    t.strictSame(grpcPort.warnings, [])
  })
}

for (const [what, refusal] of [
  ['has no room for it', (stream: number) => reset(stream, 7)],
  ['leaves before it', (stream: number) => goAway(stream - 1, 0)]
] as const)
  t.test(`a call that an app refuses, since it ${what}, is sent once more, whole`, async t => {
    let refused = 0
    const bodies: string[] = []
    const appPort = await rawApp(t, socket =>
      onStream(
        socket,
        stream => {
          if (refused++ === 0) socket.write(refusal(stream), 'latin1')
        },
        (stream, payload) => {
          bodies.push(payload)
          if (refused < 2) return
          const head = headers(stream, {':status': '200', 'content-type': 'application/grpc'}, 0)
          socket.write(head + data(stream, payload) + headers(stream, {'grpc-status': '0'}), 'latin1')
        }
      )
    )
    const grpcPort = await openTestGrpcPort(t, {appPort})
    t.match(await echoClient(t, grpcPort.port).call(), {code: 0})
    t.equal(refused, 2)
    t.match(bodies.at(-1), /^\0\0\0\0/, 'its message came with it')
    t.equal(grpcPort.underWay(), 0)
    t.equal(grpcPort.records[0]?.attempts, 2, 'the record says that it was sent twice')
    t.strictSame(grpcPort.warnings, [])
  })

for (const [what, refusal] of [
  ['REFUSED_STREAM', (stream: number) => reset(stream, 7)],
  ['GOAWAY', (stream: number) => goAway(stream - 1, 0)]
] as const)
  t.test(`a call that an app has begun to answer is not sent once more at ${what}`, async t => {
    let seen = 0
    const appPort = await rawApp(t, socket =>
      onStream(socket, stream => {
        const head = headers(stream, {':status': '200', 'content-type': 'application/grpc'}, 0)
        const answer = head + data(stream, `\0\0\0\0\x01${++seen}`)
        socket.write(answer + (seen === 1 ? refusal(stream) : headers(stream, {'grpc-status': '0'})), 'latin1')
      })
    )
    const grpcPort = await openTestGrpcPort(t, {appPort})
    t.match(await echoClient(t, grpcPort.port).call(), {code: 14})
    t.equal(seen, 1)
    t.equal(grpcPort.underWay(), 0)
  })

t.test('an app that sends data before a head ends no other call of the caller', async t => {
  const appPort = await rawApp(t, socket =>
    onStream(socket, stream => {
      if (stream > 1) socket.write(data(stream, '\0\0\0\0\0'), 'latin1')
    })
  )
  const {port} = await openTestGrpcPort(t, {appPort})
  const client = echoClient(t, port)
  const other = client.both()
  const ended = new Promise<number>(resolve =>
    other.on('error', () => undefined).on('status', ({code}) => resolve(code))
  )
  t.match(await client.call(), {code: 13})
  t.match(await client.call(), {code: 13})
  other.cancel()
  t.equal(await ended, 1, 'it has ended as it was cancelled')
})

t.test('a fault that cuts an answer leaves the other calls of its connection alone', async t => {
  const faults = new Faults({tell: () => undefined, kill: () => undefined})
  faults.add(readFault({from: 'any', to: 'any', cut: 3, times: 1}))
  const appPort = await rawApp(t, socket => {
    // the second time it is in the table of the connection (RFC 7541 §6)
    const statuses = ['\x40\x0bgrpc-status\x010', '\xbe']
    onStream(socket, stream => {
      const head = headers(stream, {':status': '200', 'content-type': 'application/grpc'}, 0)
      const end = frame(HEADERS, {flags: END_STREAM | END_HEADERS, stream, payload: statuses.shift() ?? ''})
      socket.write(head + data(stream, '\0\0\0\0\x01x') + end, 'latin1')
    })
  })
  const {port} = await openTestGrpcPort(t, {appPort, faults: {active: faults}})
  const client = echoClient(t, port)
  t.match(await client.call(), {code: 13})
  t.match(await client.call(), {code: 0, answer: 'x'})
})

t.test('an app that goes away during a call', async t => {
  const appPort = await rawApp(t, socket => onStream(socket, () => socket.destroy()))
  const {port} = await openTestGrpcPort(t, {appPort})
  t.match(await echoClient(t, port).call(), {code: 14, message: /^error reading from server: /})
})

t.test('GOAWAY: calls under way finish, the next one gets another connection', async t => {
  let connections = 0
  const appPort = await rawApp(t, socket => {
    connections++
    onStream(socket, stream => {
      const goAway = frame(7, {payload: `\0\0\0${String.fromCharCode(stream)}\0\0\0\0`})
      const head = headers(stream, {':status': '200', 'content-type': 'application/grpc'}, 0)
      const trailers = headers(stream, {'grpc-status': '0'})
      socket.write(goAway + head + data(stream, '\0\0\0\0\x01x') + trailers, 'latin1')
    })
  })
  const {port} = await openTestGrpcPort(t, {appPort})
  const client = echoClient(t, port)
  t.match(await client.call(), {code: 0, answer: 'x'})
  t.match(await client.call(), {code: 0, answer: 'x'})
  t.equal(connections, 2)
})
