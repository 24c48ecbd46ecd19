import type {IncomingMessage} from 'node:http'
import {codeOf, UserError} from '../model/errors.ts'
import {GONE, send, text} from './ask.ts'
import type {RunListing} from './messages.ts'

/** Sends requests to one run. A `feature` completes the error for a run of an older version: "which cannot …". */
export class ControlSocket {
  readonly #path: string
  readonly #listing: RunListing

  constructor(path: string, listing: RunListing) {
    this.#path = path
    this.#listing = listing
  }

  async send(method: string, path: string, signal?: AbortSignal, body?: string): Promise<IncomingMessage> {
    return send(this.#path, method, path, signal, body)
  }

  /** The body of the response. */
  async text(method: string, path: string, feature: string): Promise<string> {
    const response = await this.send(method, path)
    const body = await text(response)
    this.refuseOld(response, feature)
    return body
  }

  /** The body of the response to a request about an app; undefined if the run has no such app. Throws a UserError if the run ends. */
  async ofApp(method: string, path: string, id: string, feature: string): Promise<string | undefined> {
    try {
      const response = await this.send(method, `${path}?id=${encodeURIComponent(id)}`)
      const body = await text(response)
      this.refuseOld(response, feature)
      return response.statusCode === 404 ? undefined : body
    } catch (error) {
      if (GONE.has(codeOf(error))) throw new UserError('the run is stopping', {cause: error})
      throw error
    }
  }

  /** The body of the response as latin1 text as it arrives; undefined if the run has no such app. */
  async stream(path: string, feature: string): Promise<AsyncIterable<string> | undefined> {
    const response = await this.send('GET', path)
    this.refuseOld(response, feature)
    if (response.statusCode === 200) return textsOf(response)
    response.destroy()
    return undefined
  }

  /** The result of a request after which the run may be gone; `otherwise` if it is. */
  async unlessGone<T>(request: () => Promise<T>, otherwise: T): Promise<T> {
    try {
      return await request()
    } catch (error) {
      if (GONE.has(codeOf(error))) return otherwise
      throw error
    }
  }

  /** Throws a UserError if the run is older than the request: it responds 501. */
  refuseOld({statusCode}: IncomingMessage, feature: string): void {
    if (statusCode !== 501) return
    const {pid, version, templateFile} = this.#listing
    const name = templateFile === '' ? 'a single run' : `the run of ${templateFile}`
    throw new UserError(`${name} (pid ${pid.toString()}) is of version ${version}, which cannot ${feature}`, {
      explanation: 'Stop it, and start it again with this version.'
    })
  }
}

async function* textsOf(response: IncomingMessage): AsyncGenerator<string> {
  response.setEncoding('latin1')
  try {
    for await (const piece of response) yield piece as string
  } catch (error) {
    if (!GONE.has(codeOf(error))) throw error // the run was killed: there is no more output
  }
}
