import type {Reply} from '../net/reply.ts'
import type {NamedHost} from './entrance-host.ts'
import {pageOf, PLAIN_TYPE, wantsPage} from './refusal.ts'

/** A name, as callers of an unknown one get it. */
export interface ShownName {
  readonly name: string
  readonly project: string
}

const NO_STORE = 'Cache-Control: no-store\r\n'

/** A request without a `Host`, with two, or for another server. */
export const badHost = (lines: string): Reply =>
  answer(400, lines, {
    heading: 'This request names no app',
    text: 'It needs one Host line, and a path as its target: the entrance is not a proxy.'
  })

/** A request that comes back to its own app: its proxy keeps the host. */
export const looped = (app: string, lines: string): Reply =>
  answer(508, lines, {
    heading: `"${app}" calls itself by its own name, again and again`,
    text: 'Its proxy keeps the Host of the browser: set changeOrigin: true there, or let it call the other app at ${app.ID.url}.'
  })

/** Bytes that are not a request. */
export const notHttp = (): Reply => ({status: 400, type: PLAIN_TYPE, body: 'This is not HTTP.\n', lines: NO_STORE})

/** The connection was passed on to this run, and another run has the name (RFC 9110 §15.5.20): a client asks again on a new one. */
export const misdirected = (lines: string): Reply =>
  answer(421, lines, {heading: 'This connection leads to another run', text: 'Open a new connection for each name.'})

/** The run of the app has just ended. */
export const runGone = (lines: string): Reply =>
  answer(503, lines, {heading: 'The run of this app has just ended', text: 'Start it again: pillion up'})

/**
 * No app has the name. Names that run are shown where a browser resolves the name to this machine alone: a page of another site that
 * lets its own name point here (DNS rebinding) gets none.
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
  if (/^accept:[^\r]*json/im.test(lines)) {
    const body = `${JSON.stringify({status, title: heading, detail: text, names})}\n`
    return {status, type: 'application/problem+json', body, lines: NO_STORE}
  }
  const shown = names.map(each => `${each.name} (${each.project})`)
  if (!wantsPage(lines))
    return {status, type: PLAIN_TYPE, body: `${[`${heading}. ${text}`, ...shown].join('\n')}\n`, lines: NO_STORE}
  return {status, type: 'text/html; charset=utf-8', body: pageOf({heading, why: text, links: names}), lines: NO_STORE}
}
