import {createServer, request, type IncomingMessage, type ServerResponse} from 'node:http'
import type {AddressInfo} from 'node:net'
import {EventEmitter, once} from 'node:events'
import t from 'tap'
import {followCalls} from '../../../../src/observe/api/calls.ts'
import type {RunFacts} from '../../../../src/observe/api/run-facts.ts'
import {linesOf} from '../../../rig/control-socket.ts'
import {openSidecar} from '../replay/sidecar.ts'

t.test('for a reader that does not read calls are dropped, and counted once it reads', async t => {
  const {recorder, made} = await openSidecar(t, () => ({}))
  const responses: ServerResponse[] = []
  const server = createServer((_, response) => {
    responses.push(response)
    followCalls({recorder, masked: () => []} as unknown as RunFacts, new URLSearchParams(), response)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = request({port: (server.address() as AddressInfo).port, host: '127.0.0.1'}).end()
  const [answer] = (await once(client, 'response')) as [IncomingMessage]
  t.teardown(() => {
    answer.destroy()
    server.close()
  })
  const [response] = responses
  if (response === undefined) return
  const long = `GET /${'x'.repeat(2000)} HTTP/1.1\r\n\r\n`
  let count = 0
  const end = async (): Promise<void> => {
    for (let i = 0; i < 200; i++, count++) made(long)
    await new Promise(resolve => setTimeout(resolve, 60)) // a batch is written each 50 ms
  }
  while (!response.writableNeedDrain) await end()
  const kept = response.writableLength
  await end()
  await end()
  t.equal(response.writableLength, kept, 'nothing is added')
  let seen = 0
  for await (const line of linesOf(answer)) {
    if (line === '') continue
    const row = JSON.parse(line) as {readonly number?: number; readonly dropped?: number}
    seen += row.dropped ?? 1
    if (seen === count) break
  }
  t.equal(seen, count, 'each call came, or was counted')
})

t.test('calls that a filter leaves out are not counted, although the reader does not read', async t => {
  const {recorder, made} = await openSidecar(t, () => ({}))
  const texts: string[] = []
  const response = Object.assign(new EventEmitter(), {
    writableNeedDrain: true,
    write: (text: string) => texts.push(text),
    writeHead: () => ({flushHeaders: () => undefined})
  })
  const facts = {recorder, masked: () => []} as unknown as RunFacts
  followCalls(facts, new URLSearchParams({q: 'path:/orders'}), response as unknown as ServerResponse)
  for (const path of ['/health', '/orders', '/health']) made(`GET ${path} HTTP/1.1\r\n\r\n`)
  await new Promise(resolve => setTimeout(resolve, 60)) // a batch is written each 50 ms
  response.writableNeedDrain = false
  response.emit('drain')
  await new Promise(resolve => setTimeout(resolve, 60))
  response.emit('close')
  t.strictSame(texts, ['{"dropped":1}\n'])
})

t.test('names to mask, and spans, that come while calls are followed count from then on', async t => {
  const {recorder, made} = await openSidecar(t, () => ({}))
  const response = Object.assign(new EventEmitter(), {
    writableNeedDrain: false,
    write: (text: string) => response.emit('text', text),
    writeHead: () => ({flushHeaders: () => undefined})
  })
  let masked: readonly string[] = []
  const facts = {recorder, masked: () => masked} as unknown as RunFacts
  followCalls(facts, new URLSearchParams({q: 'span:SELECT'}), response as unknown as ServerResponse)
  masked = ['color']
  recorder.spans = {hasSpan: () => true} as unknown as NonNullable<typeof recorder.spans>
  const text = once(response, 'text')
  made('GET /items?color=red HTTP/1.1\r\n\r\n')
  t.match(await text, [/"path":"\/items\?color=<masked, 3 characters>"/])
  response.emit('close')
})
