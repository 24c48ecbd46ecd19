import type {Reply} from '../net/reply.ts'
import {ownOf} from '../../model/own.ts'

export interface Refused {
  /** 503: the app cannot be connected to. 502: its response is missing or malformed. */
  readonly status: 502 | 503
  readonly callee: string
  readonly why: string
  /** The last log lines of the app. */
  readonly lastLines: readonly string[]
  /** Advice for the caller; '' or omitted: none. */
  readonly hint?: string | undefined
  /** Header lines of the request. */
  readonly lines: string
}

export const PLAIN_TYPE = 'text/plain; charset=utf-8'

/** Whether a caller prefers JSON: its Accept header names JSON, and does not begin with HTML. */
export const wantsJson = (lines: string): boolean => /^accept:(?![ \t]*text\/html)[^\r]*json/im.test(lines)

/** Whether a browser opens a page for a person. Programs and scripts of a page send other headers (W3C Fetch Metadata Request Headers). */
export const wantsPage = (lines: string): boolean =>
  !wantsJson(lines) && /^(?:sec-fetch-mode:[ \t]*navigate|accept:[ \t]*text\/html)/im.test(lines)

/** Seconds until the page reloads itself. */
const LOOKS_AGAIN = 1

/** Returns the response to a caller whose app does not answer: the reason and the app's last lines. A browser gets a page that reloads itself. */
export function refusal({status, callee, why, lastLines, hint = '', lines}: Refused): Reply {
  const heading = status === 503 ? `"${callee}" cannot be reached` : `"${callee}" has not answered properly`
  const text = [`${heading}: ${why}`, ...lastLines, hint].filter(Boolean).join('\n')
  const retry = status === 503 ? `Retry-After: ${LOOKS_AGAIN}\r\n` : ''
  const more = `${retry}Cache-Control: no-store\r\n`
  if (!wantsPage(lines)) return {status, type: PLAIN_TYPE, body: `${text}\n`, lines: more}
  return {
    status,
    type: 'text/html; charset=utf-8',
    body: pageOf({heading, why: [why, hint].filter(Boolean).join('. '), lastLines, looksAgain: true}),
    lines: more
  }
}

interface Page {
  readonly heading: string
  readonly why: string
  readonly lastLines?: readonly string[]
  /** Addresses that answer, each with its project. */
  readonly links?: readonly {readonly name: string; readonly project: string}[]
  readonly looksAgain?: boolean
}

/** Returns an HTML page that loads no other files. `looksAgain`: it reloads itself until the app answers. */
export const pageOf = ({heading, why, lastLines = [], links = [], looksAgain = false}: Page): string => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
${looksAgain ? `<meta http-equiv="refresh" content="${LOOKS_AGAIN}">\n` : ''}<title>${escaped(heading)}</title>
<style>:root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:50em;margin:10vh auto;padding:0 1em}pre{overflow:auto;padding:1em;border:1px solid;border-radius:4px}</style>
<h1>${escaped(heading)}</h1>
<p>${escaped(why)}</p>
${lastLines.length === 0 ? '' : `<p>Its last lines:</p>\n<pre>${lastLines.map(escaped).join('\n')}</pre>\n`}${links.length === 0 ? '' : `<ul>\n${links.map(linkOf).join('\n')}\n</ul>\n`}${looksAgain ? '<p>This page looks again each second.</p>\n' : ''}</html>
`

/** Returns the link to a name, with the port that the name contains. */
const linkOf = ({name, project}: {readonly name: string; readonly project: string}): string =>
  `<li><a href="//${escaped(name)}">${escaped(name)}</a> (${escaped(project)})</li>`

const ENTITIES: Readonly<Record<string, string>> = {'&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;'}

const escaped = (text: string): string => text.replaceAll(/[&<>"]/g, each => ownOf(ENTITIES, each) ?? each)
