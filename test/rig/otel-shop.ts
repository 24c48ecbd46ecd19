import type {Test} from 'tap'
import type {RequestTree} from '../../src/model/api.generated.ts'
import {misfit} from './api-schema.ts'
import {ask, controlSocket} from './control-socket.ts'
import {openRig, type Rig} from './rig.ts'

/**
 * Calls the apps of its arguments one after the other for each order, and says of it what an SDK would: a SERVER span, a handler, a statement,
 * a CLIENT span for each call. Orders of 13 fail in the last app. With `plain` it has no SDK, but passes the trace on.
 */
export const OTEL_APP = `
const {randomBytes} = require('node:crypto')
const [name, mode, ...next] = process.argv.slice(2)
const {OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, DAPR_HTTP_PORT, APP_PORT, OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES} = process.env
const id = bytes => randomBytes(bytes).toString('hex')
const nano = () => Math.round((performance.timeOrigin + performance.now()) * 1000) + '000'
const text = (key, stringValue) => ({key, value: {stringValue}})
const resource = {attributes: [text('service.name', OTEL_SERVICE_NAME), ...(OTEL_RESOURCE_ATTRIBUTES ?? '').split(',').map(pair => text(...pair.split('=')))]}
const send = async (signal, body) => {
  const {status} = await fetch(endpoint + '/v1/' + signal, {method: 'POST', headers: {'content-type': 'application/json'}, body: JSON.stringify(body)})
  console.log('sent ' + signal + ' ' + status)
}
require('node:http').createServer(async (request, response) => {
  const [, traceId = id(16), parentSpanId = ''] = /^00-(\\w+)-(\\w+)-/.exec(request.headers.traceparent ?? '') ?? []
  const spans = []
  const begin = (name, kind, parentSpanId, attributes) => {
    const span = {traceId, spanId: id(8), parentSpanId, name, kind, attributes, startTimeUnixNano: nano(), status: {code: 0}, flags: 257}
    spans.push(span)
    return span
  }
  const end = span => { span.endTimeUnixNano = nano() }
  const server = begin('GET ' + request.url, 2, parentSpanId, [text('http.request.method', 'GET'), text('url.path', request.url)])
  const handler = begin('handler', 1, server.spanId, [text('http.request.header.authorization', 'Bearer s3cr3t'), text('card', 'c4rd')])
  handler.events = [{timeUnixNano: nano(), name: 'retry', attributes: [text('api_key', 's3cr3t')]}]
  const isOrder = /\\d$/.test(request.url)
  const statement = begin('SELECT', 3, handler.spanId, [text('db.system.name', 'postgresql'), text('db.query.text', 'SELECT * FROM ' + name + ' WHERE token = 1')])
  if (next.length === 0 && request.url.endsWith('/13')) {
    const exception = [text('exception.type', 'NoStock'), text('exception.message', 'nothing of 13'), text('exception.stacktrace', 'NoStock: nothing of 13\\n    at find (/srv/bank.js:7:9)\\n    at serve (/srv/bank.js:20:3)')]
    for (const span of [statement, handler, server]) {
      span.status = {code: 2}
      span.events = [{timeUnixNano: nano(), name: 'exception', attributes: exception}]
    }
    response.statusCode = 500
  }
  end(statement)
  for (const app of isOrder ? next : []) {
    const path = '/' + name + request.url.replace(/.*\\/(?=\\d)/, '/')
    const client = begin('GET', 3, handler.spanId, [text('http.request.method', 'GET'), text('url.full', 'http://localhost/v1.0/invoke/' + app + '/method' + path + '?token=s3cr3t')])
    const traceparent = '00-' + traceId + '-' + (mode === 'sdk' ? client.spanId : parentSpanId || id(8)) + '-01'
    const answer = await fetch('http://localhost:' + DAPR_HTTP_PORT + '/v1.0/invoke/' + app + '/method' + path, {headers: {traceparent}})
    await answer.text()
    if (answer.status >= 500) { response.statusCode = 502; client.status = {code: 2} }
    end(client)
  }
  console.log('looked for ' + request.url)
  response.end('done')
  end(handler)
  end(server)
  if (mode !== 'sdk' || !endpoint) return
  const body = {stringValue: 'looked for ' + request.url}
  const record = {traceId, spanId: handler.spanId, timeUnixNano: nano(), severityNumber: 13, body}
  await send('logs', {resourceLogs: [{resource, scopeLogs: [{scope: {name}, logRecords: [record]}]}]})
  // children may come before their parents, and in another batch
  await send('traces', {resourceSpans: [{resource, scopeSpans: [{scope: {name: 'hand'}, spans: spans.slice(1)}]}]})
  await send('traces', {resourceSpans: [{resource, scopeSpans: [{scope: {name: 'hand'}, spans: spans.slice(0, 1)}]}]})
  if (isOrder) console.log('told of ' + request.url)
}).listen(APP_PORT, () => console.log('listening'))
`

export interface OtelShop {
  readonly rig: Rig
  readonly run: ReturnType<Rig['pillion']>
  /** Where an app of the template is called: `shop`, or `user shop` by the sidecar of another one. */
  readonly url: (way: string, path: string) => Promise<string>
  /** The tree of a request, from the API of the run. */
  readonly tree: (q: string) => Promise<RequestTree>
}

/** A shop of these apps, each with its mode (`sdk` or `plain`) and the apps that it calls. */
export async function openOtelShop(
  t: Test,
  apps: Readonly<Record<string, readonly string[]>>,
  keys: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {}
): Promise<OtelShop> {
  const rig = await openRig(t)
  await rig.write({'app.cjs': OTEL_APP})
  await rig.template(
    Object.entries(apps).map(([appID, words]) => ({
      appID,
      appDirPath: '.',
      autoPort: true,
      command: ['node', 'app.cjs', appID, ...words],
      ...keys[appID]
    }))
  )
  const run = rig.pillion(['up'])
  await run.waitForLine('listening', {nth: Object.keys(apps).length})
  return {
    rig,
    run,
    url: async (way, path) => {
      const [caller = '', callee = caller] = way.split(' ')
      const {http} = await run.ports(caller)
      return `http://127.0.0.1:${http}/v1.0/invoke/${callee}/method${path}`
    },
    tree: async q => {
      const {json} = await ask(controlSocket(rig), `/api/v1/trace?q=${encodeURIComponent(q)}`)
      t.equal(misfit('RequestTree', json), '')
      return json as RequestTree
    }
  }
}
