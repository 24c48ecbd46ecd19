import {randomBytes} from 'node:crypto'
import type {IncomingMessage, Server, ServerResponse} from 'node:http'
import type {AddressInfo} from 'node:net'
import type {DaprdTopic, DeliverEvent} from '../../components/daprd/daprd-access.ts'
import type {BrokerMessage} from '../../components/pubsub.ts'
import {decoded} from '../../../model/bytes.ts'
import {messageOf} from '../../../model/errors.ts'
import {collect} from '../../../platform/collector.ts'
import {http} from '../../../proxy/net/http1/node-http.ts'
import type {Announced} from './readings.ts'

export interface AppListenerOptions {
  /** Returns the topics to read, once they are known. Daprd asks only once per process. */
  readonly topics: () => Promise<readonly DaprdTopic[]>
  /** Returns the current reader for a topic of daprd's list, if there is one. */
  readonly readerOf: (topic: DaprdTopic) => DaprdTopic | undefined
  /** Returns the binding whose events arrive at a path without its slash, if there is one. */
  readonly bindingAt: (path: string) => string | undefined
  /** Whether the app wants the events of a binding; waits for its answer. */
  readonly wantsBinding: (name: string) => Promise<boolean>
  /** Returns the current reader of a binding, if there is one. */
  readonly bindingReader: (name: string) => DeliverEvent | undefined
  readonly configurationChanged: (id: string, items: unknown) => void
  readonly warn: (text: string) => void
}

/** Names of headers that belong to daprd's request. All others are metadata of the message. */
const OWN_HEADERS =
  /^(?:accept-encoding|accept|connection|content-length|content-type|dapr-api-token|host|pubsubname|rawpayload|traceparent|tracestate|transfer-encoding|user-agent|grpc-trace-bin)$/

/** Longest wait of daprd for a full batch of events, in ms. */
const READY_AFTER_MS = 100

/** The HTTP server that daprd takes for the app. Daprd sends it events and changes of configuration, and identifies itself by a token. */
export class AppListener {
  readonly token = randomBytes(16).toString('hex')
  readonly #options: AppListenerOptions
  readonly announced: Announced = {topics: undefined, bindings: new Map()}
  /** Secret part of the paths of topics. Another program that invokes the app through daprd cannot forge events without it. */
  readonly #secret = randomBytes(16).toString('hex')
  readonly #server: Server

  constructor(options: AppListenerOptions) {
    this.#options = options
    this.#server = http.createServer((request, response) => {
      this.#serve(request, response).catch((error: unknown) => {
        options.warn(`daprd's request ${request.url ?? ''} failed: ${messageOf(error)}`)
        response.destroy()
      })
    })
    this.#server.keepAliveTimeout = 0
  }

  /** Starts to listen. Resolves with the port. */
  async open(): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject).listen(0, '127.0.0.1', resolve)
    })
    return (this.#server.address() as AddressInfo).port
  }

  close(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.headers['dapr-api-token'] !== this.token) return void response.writeHead(403).end()
    const {pathname} = new URL(request.url ?? '/', 'http://app')
    const body = (await collect(request, 0)).take()
    const [, first = '', secret = '', index = ''] = pathname.split('/')
    if (pathname === '/dapr/config') return sendJson(response, {})
    if (pathname === '/dapr/subscribe') return sendJson(response, await this.#listTopics())
    if (secret === this.#secret) {
      const announced = this.announced.topics?.[Number(index)]
      const topic = announced && this.#options.readerOf(announced)
      if (topic === undefined) return void response.writeHead(503).end()
      if (first === 'topic') return deliver(topic, request, body, response)
      if (first === 'topics') return deliverSeveral(topic, body, response)
    }
    if (first === 'configuration' && index !== '') return this.#change(body, response)
    const binding = this.#options.bindingAt(decodeURIComponent(pathname.slice(1)))
    if (binding === undefined) response.writeHead(404).end()
    else if (request.method === 'OPTIONS') response.writeHead((await this.#wants(binding)) ? 200 : 404).end()
    else await this.#deliverEvent(binding, request, body, response)
  }

  async #wants(binding: string): Promise<boolean> {
    const isWanted = await this.#options.wantsBinding(binding)
    this.announced.bindings.set(binding, isWanted)
    return isWanted
  }

  async #deliverEvent(
    binding: string,
    {headers}: IncomingMessage,
    data: Buffer,
    response: ServerResponse
  ): Promise<void> {
    const handled = await this.#options.bindingReader(binding)?.({data, metadata: metadataIn(headers)})
    response.writeHead(handled === 'done' ? 200 : handled === 'failed' ? 500 : 503).end()
  }

  async #listTopics(): Promise<readonly object[]> {
    const topics = await this.#options.topics()
    this.announced.topics = topics
    return topics.map(({pubsubName, topic, atOnce}, at) => ({
      pubsubname: pubsubName,
      topic,
      // daprd passes on the message's bytes, which the sidecar parses as a CloudEvent
      metadata: {rawPayload: 'true'},
      route: `/${atOnce > 0 ? 'topics' : 'topic'}/${this.#secret}/${at}`,
      ...(atOnce > 0 && {bulkSubscribe: {enabled: true, maxMessagesCount: atOnce, maxAwaitDurationMs: READY_AFTER_MS}})
    }))
  }

  #change(body: Buffer, response: ServerResponse): void {
    const {id, items} = JSON.parse(body.toString()) as {readonly id?: string; readonly items?: unknown}
    this.#options.configurationChanged(id ?? '', items)
    response.end()
  }
}

const sendJson = (response: ServerResponse, value: object): void =>
  void response.setHeader('content-type', 'application/json').end(JSON.stringify(value))

/** Delivers a message of a topic. Answers 503 if it was not handled, so that the broker keeps it. */
async function deliver(
  topic: DaprdTopic,
  {headers}: IncomingMessage,
  body: Buffer,
  response: ServerResponse
): Promise<void> {
  const handled = await topic.deliver({data: dataIn(body), metadata: metadataIn(headers)})
  response.writeHead(handled === 'done' ? 200 : 503).end()
}

const metadataIn = (headers: IncomingMessage['headers']): BrokerMessage['metadata'] =>
  Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      typeof value === 'string' && !OWN_HEADERS.test(name) ? [[name, decoded(value)] as const] : []
    )
  )

/** Returns the bytes of a message that daprd has wrapped in a CloudEvent (components-contrib: pubsub.FromRawPayload). */
function dataIn(body: Buffer): Buffer {
  const {data_base64: data = ''} = JSON.parse(body.toString()) as {readonly data_base64?: string}
  return Buffer.from(data, 'base64')
}

interface Entry {
  readonly entryId: string
  /** The bytes of the message in base64. */
  readonly event: string
  readonly metadata?: Readonly<Record<string, string>> | null
}

async function deliverSeveral(topic: DaprdTopic, body: Buffer, response: ServerResponse): Promise<void> {
  const {entries} = JSON.parse(body.toString()) as {readonly entries: readonly Entry[]}
  const statuses = await Promise.all(
    entries.map(async ({entryId, event, metadata}) => {
      const message: BrokerMessage = {data: Buffer.from(event, 'base64'), metadata: metadata ?? {}}
      return {entryId, status: (await topic.deliver(message)) === 'done' ? 'SUCCESS' : 'RETRY'}
    })
  )
  sendJson(response, {statuses})
}
