import type {Reply} from '../net/reply.ts'
import type {NamedHost} from './entrance-host.ts'
import {pageOf, PLAIN_TYPE, wantsJson, wantsPage} from './refusal.ts'

/** A name that can be called, listed in the response to an unknown name. */
export interface ShownName {
  readonly name: string
  readonly project: string
}

const NO_STORE = 'Cache-Control: no-store\r\n'

/** Response to a request without a `Host`, with two, or with an absolute URL as for a proxy. */
export const badHost = (lines: string): Reply =>
  answer(400, lines, {
    heading: 'This request names no app',
    text: 'It needs one Host line, and a path as its target: the entrance is not a proxy.'
  })

/** Response to a loop: the app's dev proxy forwards a request with the app's own `Host`, so that it reaches the same app again. */
export const looped = (app: string, lines: string): Reply =>
  answer(508, lines, {
    heading: `"${app}" calls itself by its own name, again and again`,
    text: 'Its proxy keeps the Host of the browser: set changeOrigin: true there, or let it call the other app at ${app.ID.url}.'
  })

/** Response to bytes that are not an HTTP request. */
export const notHttp = (): Reply => ({status: 400, type: PLAIN_TYPE, body: 'This is not HTTP.\n', lines: NO_STORE})

/** Response to a request for another run on a connection that one run has already passed on: a client retries on a new connection (RFC 9110 §15.5.20). */
export const misdirected = (lines: string): Reply =>
  answer(421, lines, {heading: 'This connection leads to another run', text: 'Open a new connection for each name.'})

/** Response if the run of the app ended before it got the connection. */
export const runGone = (lines: string): Reply =>
  answer(503, lines, {heading: 'The run of this app has just ended', text: 'Start it again: pillion up'})

/**
 * Response to a name that no app has. Lists the running names only for a host in `.localhost`: a page of another site whose own name resolves
 * to this machine (DNS rebinding) must not learn them.
 */
export function noName({name, written}: NamedHost, lines: string, names: () => readonly ShownName[]): Reply {
  if (!/^[a-z0-9.-]+\.localhost$/.test(name))
    return answer(404, lines, {heading: 'No app is called here', text: 'Apps are called by their names.'})
  const port = /:\d+$/.exec(written)?.[0] ?? ''
  const running = names().map(each => ({...each, name: `${each.name}${port}`}))
  return answer(404, lines, {
    heading: `No app is called ${name}`,
    text: running.length === 0 ? 'No app runs.' : 'These run:',
    names: running
  })
}

interface Answer {
  readonly heading: string
  readonly text: string
  readonly names?: readonly ShownName[]
}

function answer(status: number, lines: string, {heading, text, names = []}: Answer): Reply {
  if (wantsJson(lines)) {
    const body = `${JSON.stringify({status, title: heading, detail: text, names})}\n`
    return {status, type: 'application/problem+json', body, lines: NO_STORE}
  }
  const shown = names.map(each => `${each.name} (${each.project})`)
  if (!wantsPage(lines))
    return {status, type: PLAIN_TYPE, body: `${[`${heading}. ${text}`, ...shown].join('\n')}\n`, lines: NO_STORE}
  return {status, type: 'text/html; charset=utf-8', body: pageOf({heading, why: text, links: names}), lines: NO_STORE}
}
