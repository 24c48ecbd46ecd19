import type {Reply} from '../net/reply.ts'
import {ownOf} from '../../model/own.ts'

export interface Refused {
  /** 503: it is not there; 502: it has not answered properly. */
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

/** A person's browser that opens a page, and no program and no script of a page (Fetch Metadata Request Headers, W3C). */
const NAVIGATES = /^(?:sec-fetch-mode:[ \t]*navigate|accept:[ \t]*text\/html)/im

/** Seconds until the page looks again. */
const LOOKS_AGAIN = 1

/** The response to a caller if the app does not answer: the reason, with the app's last lines, and for a browser a page that reloads itself. */
export function refusal({status, callee, why, lastLines, hint = '', lines}: Refused): Reply {
  const heading = status === 503 ? `"${callee}" cannot be reached` : `"${callee}" has not answered properly`
  const text = [`${heading}: ${why}`, ...lastLines, hint].filter(Boolean).join('\n')
  const retry = status === 503 ? `Retry-After: ${LOOKS_AGAIN}\r\n` : ''
  const more = `${retry}Cache-Control: no-store\r\n`
  if (!NAVIGATES.test(lines)) return {status, type: 'text/plain; charset=utf-8', body: `${text}\n`, lines: more}
  return {
    status,
    type: 'text/html; charset=utf-8',
    body: page(heading, [why, hint].filter(Boolean).join('. '), lastLines),
    lines: more
  }
}

/** The page loads nothing, and reloads itself until the app answers. */
const page = (heading: string, why: string, lastLines: readonly string[]): string => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="refresh" content="${LOOKS_AGAIN}">
<title>${escaped(heading)}</title>
<style>:root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:50em;margin:10vh auto;padding:0 1em}pre{overflow:auto;padding:1em;border:1px solid;border-radius:4px}</style>
<h1>${escaped(heading)}</h1>
<p>${escaped(why)}</p>
${lastLines.length === 0 ? '' : `<p>Its last lines:</p>\n<pre>${lastLines.map(escaped).join('\n')}</pre>\n`}<p>This page looks again each second.</p>
</html>
`

const ENTITIES: Readonly<Record<string, string>> = {'&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;'}

const escaped = (text: string): string => text.replaceAll(/[&<>"]/g, each => ownOf(ENTITIES, each) ?? each)
