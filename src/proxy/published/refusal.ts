import type {Reply} from '../net/reply.ts'
import {ownOf} from '../../model/own.ts'

export interface Refused {
  /** 503: the app is not there. 502: it has not answered properly. */
  readonly status: 502 | 503
  readonly callee: string
  readonly why: string
  /** The last lines that the app has printed. */
  readonly lastLines: readonly string[]
  /** Advice for the caller. */
  readonly hint?: string | undefined
  /** Header lines of the request. */
  readonly lines: string
}

export const PLAIN_TYPE = 'text/plain; charset=utf-8'

/** Whether a person's browser opens a page, and no program and no script of a page asks (Fetch Metadata Request Headers, W3C). */
export const wantsPage = (lines: string): boolean =>
  /^(?:sec-fetch-mode:[ \t]*navigate|accept:[ \t]*text\/html)/im.test(lines)

/** Seconds until the page looks again. */
const LOOKS_AGAIN = 1

/** The response to a caller if the app does not answer: the reason, with the app's last lines, and for a browser a page that reloads itself. */
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

/** Returns a page without further resources. With `looksAgain` it reloads itself until the app answers. */
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

/** A link to a name at the port of this page. */
const linkOf = ({name, project}: {readonly name: string; readonly project: string}): string =>
  `<li><a href="//${escaped(name)}">${escaped(name)}</a> (${escaped(project)})</li>`

const ENTITIES: Readonly<Record<string, string>> = {'&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;'}

const escaped = (text: string): string => text.replaceAll(/[&<>"]/g, each => ownOf(ENTITIES, each) ?? each)
