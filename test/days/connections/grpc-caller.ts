import type {IncomingHttpHeaders} from 'node:http2'
import type {GrpcApp} from './grpc-app.ts'
import {messageOf, Messages} from './grpc-messages.ts'
import {nothing} from './http2-app.ts'
import {Http2Caller, type Asked} from './http2-caller.ts'

const SIZES = [0, 10, 300, 20_000, 200_000, 300_000]

/** A call as its caller knows it. */
interface AskedCall extends Asked {
  readonly path: string
  /** Messages that it sends in all. */
  readonly count: number
  /** The caller has left. */
  isGivenUp: boolean
  /** All received statuses. */
  readonly statuses: number[]
}

/** Calls methods of gRPC: their messages are the bodies. */
export class GrpcCaller extends Http2Caller<GrpcApp, AskedCall> {
  readonly over: AskedCall[] = []

  /** Returns false if it has no connection now. */
  ask(id: string, kinds: readonly string[]): boolean {
    const {random} = this
    const {session} = this
    if (session === undefined) return false
    const path = `/walk.S/${random.pick(kinds)}${random.oneIn(2) ? id : ''}`
    const timeout = random.oneIn(6) ? {'grpc-timeout': random.pick(['10S', '1m', '3m', '500u'])} : {}
    const count = random.oneIn(2) ? 1 : random.below(random.oneIn(4) ? 20 : 5)
    // without one, the id is that of its first message
    const named = random.oneIn(2) || count === 0 ? {'x-id': id} : {}
    const head = {':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers'}
    const stream = session.request({...head, 'dapr-app-id': 'shop', ...timeout, ...named})
    const rest = Array.from({length: count}, (_, number) => messageOf(id, number, random.pick(SIZES))).join('')
    const asked: AskedCall = {id, path, count, stream, rest, isGivenUp: false, statuses: []}
    this.asked.set(id, asked)
    this.#read(asked)
    if (random.oneIn(2)) this.send(asked, Infinity)
    return true
  }

  protected giveUp(asked: AskedCall): void {
    asked.isGivenUp = true
  }

  #read(asked: AskedCall): void {
    const {id, path, stream, statuses} = asked
    const {faults} = this.app
    const messages = new Messages(id, text => faults.push(`to the caller: ${path}: ${text}`))
    const take = (fields: IncomingHttpHeaders): void => {
      if (fields['grpc-status'] !== undefined) statuses.push(Number(fields['grpc-status']))
      if (fields['x-id'] !== undefined && fields['x-id'] !== id)
        faults.push(`${id} got the answer to ${String(fields['x-id'])}`)
    }
    let end: IncomingHttpHeaders = {}
    stream
      .on('response', take)
      .on('trailers', fields => {
        end = fields
        take(fields)
      })
      .on('data', (bytes: Buffer) => {
        messages.take(bytes)
        this.mayPause(stream)
      })
      .on('error', nothing)
      .on('close', () => {
        this.asked.delete(id)
        this.over.push(asked)
        this.#check(asked, messages, end)
      })
  }

  #check(
    {id, path, count, stream, statuses, isGivenUp}: AskedCall,
    messages: Messages,
    end: IncomingHttpHeaders
  ): void {
    const {faults} = this.app
    if (isGivenUp) return
    const mayBreak = path.includes('Faulted')
    if (statuses.length > 1 || (statuses.length === 0 && !mayBreak))
      faults.push(`${id} ${path} has ended with ${statuses.length} statuses, reset ${stream.rstCode}`)
    if (statuses[0] !== 0) return
    if (this.app.received(id) === 0 && !mayBreak) faults.push(`${id} is answered, and has not come`)
    if (end['x-count'] === undefined) return
    if (Number(end['x-count']) !== messages.count || !messages.isWhole)
      faults.push(`${id} got ${messages.count} messages of ${String(end['x-count'])}`)
    const got = Number(end['x-got'])
    if (got >= 0 && got !== count) faults.push(`of ${id} ${got} messages came to the app, of ${count}`)
  }
}
