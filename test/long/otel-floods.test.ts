import {connect} from 'node:net'
import {setTimeout as pause} from 'node:timers/promises'
import {gzipSync} from 'node:zlib'
import t from 'tap'
import {sendTraces, spanBatch, tracesUrl} from '../rig/otlp-batch.ts'
import {openOtelShop} from '../rig/otel-shop.ts'

/** Twice what a run keeps. */
const SPANS = 40_000
const BATCH = 1000
const TRACE = Buffer.alloc(16, 0xab)

/** A body of JSON with a single span. */
const jsonOf = (more: Readonly<Record<string, unknown>>): Uint8Array<ArrayBuffer> => {
  const span = {traceId: 'ef'.repeat(16), spanId: 'ef'.repeat(8), name: 'odd', kind: 1, ...more}
  return new Uint8Array(Buffer.from(JSON.stringify({resourceSpans: [{scopeSpans: [{spans: [span]}]}]})))
}
const JSON_TYPE = {'content-type': 'application/json'}

t.test('whatever is sent as spans, no call waits for it or fails, and each has its answer', async t => {
  const {run, url, rig, tree} = await openOtelShop(t, {shop: ['sdk', 'bank'], bank: ['sdk']})
  const traces = await tracesUrl(rig, 'shop')
  const order = await url('shop', '/orders/')
  const over = new AbortController()
  let calls = 0
  const calling = async (): Promise<void> => {
    for (; !over.signal.aborted; calls++) {
      const answer = await fetch(`${order}${100 + calls}`)
      t.equal(answer.status, 200)
      await answer.text()
      await pause(20)
    }
  }
  const lane = calling()

  const endless = connect(Number(new URL(traces).port), '127.0.0.1')
  const head =
    'POST /v1/traces HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-protobuf\r\ntransfer-encoding: chunked\r\n\r\n'
  const closed = new Promise<void>(resolve => endless.on('error', () => undefined).once('close', () => resolve()))
  endless.resume().write(head)
  const more = (): void => {
    if (endless.writable && endless.write(`10000\r\n${'a'.repeat(0x10000)}\r\n`)) setImmediate(more)
    else endless.once('drain', more)
  }
  more()

  for (let sent = 0; sent < SPANS; sent += BATCH)
    t.equal(await sendTraces(traces, spanBatch('shop', BATCH, TRACE)), 200)
  const bomb = new Uint8Array(gzipSync(Buffer.alloc(100 * 1024 * 1024)))
  t.equal(await sendTraces(traces, bomb, {'content-encoding': 'gzip'}), 413)
  t.equal(await sendTraces(traces, new Uint8Array([0x0a, 0xff, 0xff, 0xff])), 400)
  const attributes = ['x', '名', '😀', 'ع'].map((letter, index) => ({
    key: `long${index}`,
    value: {stringValue: letter.repeat(500_000)}
  }))
  t.equal(await sendTraces(traces, jsonOf({attributes}), JSON_TYPE), 200)
  t.equal(await sendTraces(traces, jsonOf({spanId: 'e0'.repeat(8), parentSpanId: 'e0'.repeat(8)}), JSON_TYPE), 200)
  const [early, late] = ['1000000000', '8836000000000000000']
  for (const time of [early, late])
    t.equal(
      await sendTraces(traces, jsonOf({spanId: `e${time.length}`.padEnd(16, '1'), startTimeUnixNano: time}), JSON_TYPE),
      200
    )
  t.equal(await sendTraces(traces, jsonOf({}), {...JSON_TYPE, origin: 'https://evil.example'}), 403)
  await closed
  over.abort()
  await lane

  t.ok(calls > 10, `${calls} calls`)
  t.match((await rig.run(['trace', 'efef'.repeat(8)])).stdout, /unknown_service +odd/)
  const many = JSON.parse((await rig.run(['trace', 'abab'.repeat(8), '-o', 'json'])).stdout) as {
    nodes: readonly unknown[]
    leftOut: number
  }
  t.ok(many.nodes.length <= 1000 && many.leftOut > 5000, `${many.nodes.length} rows, ${many.leftOut} left out`)
  await fetch(`${order}7`)
  await run.waitForLine('told of /orders/7')
  t.equal((await tree('to:shop path:/orders/7')).nodes.length, 6)
  t.notMatch(run.stderr.text, /⚠|❌/)
})
