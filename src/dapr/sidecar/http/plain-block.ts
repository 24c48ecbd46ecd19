import type {CallSpan} from '../../../model/call.ts'
import {bugText} from '../../../model/errors.ts'
import type {FastConnection} from '../../../proxy/net/http1/fast-connection.ts'
import type {PlainRequest} from '../../../proxy/net/http1/plain-request.ts'
import type {BlockRequest} from '../operations/block-request.ts'
import {unescapeParam} from './go-path.ts'
import type {SidecarContext} from './invocation.ts'
import {recordOwn} from './own-record.ts'
import {findRoute, type BlockCall} from './routes.ts'
import {isInvoke} from './target.ts'
import type {Reply} from '../../../proxy/net/reply.ts'
import type {Blocks} from '../blocks/blocks.ts'

let second = 0
let line = ''

/** Returns the `Date` header of the sidecar's own response (RFC 9110 §6.6.1), as node:http writes it. Makes it once a second. */
function dateLine(): string {
  const now = Math.trunc(Date.now() / 1000)
  if (now !== second) line = `Date: ${new Date(now * 1000).toUTCString()}\r\n`
  second = now
  return line
}

/** Maximum size of a body on the fast path. node:http reads larger ones, piece by piece. */
const MAX_BODY_BYTES = 65_536

const MAX_POSTED = 200

interface PlainBlockCall {
  readonly request: PlainRequest
  readonly call: BlockCall
  /** Header lines, with those of the trace that was sent. */
  readonly lines: string
  readonly trace: string
  readonly responseTrace: string
  readonly span: CallSpan | undefined
}

/** Serves calls to building blocks on the fast path, which parses plain requests without node:http. */
export class PlainBlocks {
  readonly #sidecar: SidecarContext
  readonly #callBlock: CallBlock
  readonly #maxBodyBytes: number
  /** The operations of known POST paths: clients publish to the same topics and save to the same stores again and again. */
  readonly #posted = new Map<string, BlockCall>()

  constructor(sidecar: SidecarContext, callBlock: CallBlock) {
    this.#sidecar = sidecar
    this.#callBlock = callBlock
    this.#maxBodyBytes = Math.min(MAX_BODY_BYTES, sidecar.maxBodyBytes || MAX_BODY_BYTES)
  }

  /** Whether the request may be for a building block and has a small body. Then the fast path reads the whole body first. */
  takes({path, length}: PlainRequest): boolean {
    return path.startsWith('/v1.0') && !isInvoke(path) && length <= this.#maxBodyBytes
  }

  /** Finds the operation of a request; undefined: node:http has to read the request. */
  find(request: PlainRequest): BlockCall | undefined {
    if (!this.takes(request)) return undefined
    const {method, path} = request
    const known = method === 'POST' ? this.#posted.get(path) : undefined
    if (known !== undefined) return known
    const action = findRoute({method, path}, unescapeParam)
    if (action?.kind !== 'block') return undefined
    if (method === 'POST' && this.#posted.size < MAX_POSTED) this.#posted.set(path, action)
    return action
  }

  /** Serves a call, and sends the response. Never rejects. */
  async start(
    {request, call: {call, params}, lines, trace, responseTrace, span}: PlainBlockCall,
    connection: FastConnection
  ): Promise<void> {
    const {appId, recorded, warn} = this.#sidecar
    const {protocol, method, path, query, length} = request
    const headers = {lines, length, traceparent: '', tracestate: ''}
    const record = recordOwn(recorded, appId, {protocol, method, sent: {path}, headers, span})
    const onGone: BlockRequest['onGone'] = listener => connection.onGone(listener)
    try {
      const reply = await this.#callBlock(call, {
        protocol,
        params,
        query,
        lines,
        trace,
        body: connection.takeWhole(),
        onGone
      })
      record(reply)
      connection.answer({...reply, lines: reply.lines + responseTrace + dateLine()})
    } catch (error) {
      warn(bugText(error))
      connection.answer(undefined)
    }
  }
}

/** Serves a call to a building block. Resolves with Dapr's error if it fails. */
export type CallBlock = (call: BlockCall['call'], request: BlockRequest) => Promise<Reply>

/** Returns the function that serves calls to building blocks over HTTP. Its first call loads their code. */
export function blockCaller(load: () => Promise<Blocks>): CallBlock {
  let loaded: CallBlock | undefined
  const loadAll = async (): Promise<CallBlock> => {
    const [blocks, {answerHttp}] = await Promise.all([load(), import('../operations/operations.ts')])
    loaded = (call, request) => answerHttp(blocks, call, request)
    return loaded
  }
  // creates few promises: it runs for each call
  return (call, request) => loaded?.(call, request) ?? loadAll().then(callBlock => callBlock(call, request))
}
