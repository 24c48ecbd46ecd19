import {get, type ClientRequest} from 'node:http'
import type {Streamed} from '../world.ts'

/** After so many rests its reader leaves. */
const MAX_RESTS = 3
/** So long a stream may take to begin: a call to an app that does not come up waits. */
const BEGINS_WITHIN_MS = 2000

interface Stream {
  readonly from: string
  readonly to: string
  readonly request: ClientRequest
  isOpen: boolean
  /** Events that were read until the last rest, and all. */
  before: number
  count: number
  rests: number
}

/** Streams of events through sidecars, which stay open over other steps. */
export class Streams {
  #all: Stream[] = []

  get all(): readonly Streamed[] {
    return this.#all.map(({from, to, isOpen, before, count}) => ({from, to, isOpen, hasMoved: count > before}))
  }

  /** Settles when it has begun, or does not begin. */
  async open(port: number, {from, to}: {readonly from: string; readonly to: string}): Promise<void> {
    const options = {host: '127.0.0.1', port, path: `/v1.0/invoke/${to}/method/stream`, agent: false}
    await new Promise<void>(resolve => {
      const request = get(options, response => {
        if (response.statusCode !== 200) request.destroy()
        response.on('error', () => undefined) // it is cut: `close` follows
        response.on('close', () => (stream.isOpen = false)).on('data', () => stream.count++)
        response.once('data', () => {
          request.setTimeout(0) // from here on it may be late
          stream.isOpen = true
          this.#all.push(stream)
          resolve()
        })
      })
      const stream: Stream = {from, to, request, isOpen: false, before: 0, count: 0, rests: 0}
      request.on('error', () => undefined).on('close', resolve)
      request.setTimeout(BEGINS_WITHIN_MS, () => request.destroy())
    })
  }

  /** Those that are over are looked at no longer. */
  settle(): void {
    for (const stream of this.#all) {
      stream.before = stream.count
      if (++stream.rests >= MAX_RESTS) stream.request.destroy()
    }
    this.#all = this.#all.filter(({isOpen, rests}) => isOpen && rests < MAX_RESTS)
  }

  close(): void {
    for (const {request} of this.#all) request.destroy()
    this.#all = []
  }
}
