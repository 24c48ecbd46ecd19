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

/** The `Date` of a response of our own (RFC 9110 §6.6.1), as node:http writes it; made once a second. */
function dateLine(): string {
  const now = Math.trunc(Date.now() / 1000)
  if (now !== second) line = `Date: ${new Date(now * 1000).toUTCString()}\r\n`
  second = now
  return line
}

/** Maximum size of a body that is read here. node:http reads a larger one, piece by piece. */
const MAX_BODY_BYTES = 65_536

/** Maximum number of remembered paths. */
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

/** Calls to building blocks that are parsed without node:http. */
export class PlainBlocks {
  readonly #sidecar: SidecarContext
  readonly #callBlock: CallBlock
  readonly #maxBodyBytes: number
  /** Known POST targets (topics and stores), which are repeated with each call. */
  readonly #posted = new Map<string, BlockCall>()

  constructor(sidecar: SidecarContext, callBlock: CallBlock) {
    this.#sidecar = sidecar
    this.#callBlock = callBlock
    this.#maxBodyBytes = Math.min(MAX_BODY_BYTES, sidecar.maxBodyBytes || MAX_BODY_BYTES)
  }

  /** Whether the request is answered here. Then its body must be complete. */
  takes({path, length}: PlainRequest): boolean {
    return path.startsWith('/v1.0') && !isInvoke(path) && length <= this.#maxBodyBytes
  }

  /** Finds the block of a request. Returns undefined if node:http has to read the request. */
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

  /** Never rejects. */
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

/** Responds to a call to a building block, failures included. */
export type CallBlock = (call: BlockCall['call'], request: BlockRequest) => Promise<Reply>

/** Serves the building blocks of an app over HTTP. The first call loads their code. */
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
