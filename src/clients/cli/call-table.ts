import type * as Api from '../../model/api.generated.ts'
import {callEndText, shownCause} from '../../model/call-end.ts'
import {callFacts, protocolText} from '../../model/call-facts.ts'
import {durationText} from '../../model/duration.ts'
import {clockText} from './log-style.ts'
import {toned, type Tone} from './paint.ts'
import {foldedFor} from './say.ts'
import {fittingTable} from './table.ts'
import {cut} from './width.ts'

/** A call, or several equal ones in one row. */
type Row = Api.Call & {readonly count?: number}

/** Returns a table of calls that is never wider than `width`. */
export const callTable = (rows: readonly Row[], width: number, hasColours = false): string =>
  fittingTable(
    [
      {head: 'CALL', cells: rows.map(({number}) => number.toString()), alignsRight: true, isMain: true},
      {head: 'TIME', cells: rows.map(localTime)},
      {head: 'FROM → TO', cells: rows.map(edgeOf), minWidth: 12, isMain: true},
      {head: 'REQUEST', cells: rows.map(requestOf), minWidth: 8, isMain: true},
      {
        head: 'STATUS',
        cells: rows.map(statusOf),
        minWidth: 7,
        isMain: true,
        paint: hasColours ? (cell, row) => toned(toneOfCall(rows[row]), cell) : undefined
      },
      {head: 'TOOK', cells: rows.map(({totalMs}) => durationText(totalMs)), alignsRight: true},
      {
        head: 'WAITED',
        cells: rows.map(({waitedMs}) => (waitedMs < 1 ? '' : durationText(waitedMs))),
        alignsRight: true
      },
      {head: '', cells: rows.map(row => notesOf(row, width >= MIN_WITH_CAUSE).join(', ')), minWidth: 0}
    ],
    width
  )

/** Returns the colour class of a call's status: failed, refused (a status from 400 that is no failure), or well. */
const toneOfCall = (call: Api.Call | undefined): Tone => {
  if (call === undefined || call.isOpen) return 'plain'
  if (call.isFailed) return 'bad'
  return !call.marks.includes('grpc') && call.status >= 400 ? 'busy' : 'good'
}

/** Returns the line for a call that has just ended, or for a number of calls that were dropped. */
export function followedLine(row: Api.Call | {readonly dropped: number}, width: number, hasColours = false): string {
  if ('dropped' in row) return `… ${row.dropped} calls are not shown\n`
  const waited = row.waitedMs < 1 ? '' : `  waited ${durationText(row.waitedMs)}`
  const text = `${row.number}  ${localTime(row)}  ${edgeOf(row)}  ${requestOf(row)}  ${statusOf(row)}  ${durationText(row.totalMs)}${waited}  ${notesOf(row, true).join(', ')}`
  const line = cut(text.trimEnd(), width)
  return `${hasColours && row.isFailed ? toned('bad', line) : line}\n`
}

/** Returns the text of a call with its request and its response. */
export function callText(call: Api.CallDetail): string {
  const {number, isKept, totalMs} = call
  const facts = [
    `${edgeOf(call)}, ${localTime(call)}, ${statusOf(call)} after ${durationText(totalMs)}`,
    ...callFacts(call)
  ]
  const head = foldedFor(
    process.stdout,
    `call ${number}  ${requestOf(call)}\n${facts.map(fact => `  ${fact}\n`).join('')}`
  )
  if (!isKept) return `${head}\n  its bytes are no longer kept\n`
  return `${head}\n${messageText('>', call.request)}\n${messageText('<', call.response)}`
}

function messageText(sign: string, {line, headers, body, encoding, isUnmasked}: Api.Message): string {
  if (line === '') return sign === '<' ? '< there was no response\n' : ''
  const lines = [line, ...headers.map(([name, value]) => `${name}: ${value}`)].map(each => `${sign} ${each}\n`)
  const shown = encoding === 'base64' ? `(${Buffer.from(body, 'base64').length} bytes that are not text)` : body
  const note = isUnmasked === true ? '(neither JSON nor a form: nothing in it is masked)\n' : ''
  return `${lines.join('')}${shown === '' ? '' : `\n${shown}${shown.endsWith('\n') ? '' : '\n'}${note}`}`
}

/** Returns the time of day, in local time. */
export const localTime = ({at}: Pick<Api.Call, 'at'>): string => clockText(new Date(at))

const edgeOf = ({from, to}: Api.Call): string => `${from} → ${to}`

const requestOf = ({method, path, isKept, count = 1}: Row): string =>
  `${method} ${isKept ? path : '(no longer kept)'}${count === 1 ? '' : ` ×${count}`}`

const statusOf = (call: Api.Call): string => {
  if (call.isOpen) return 'under way'
  return callEndText(call) + (call.isFailed && !call.marks.includes('grpc') && call.status > 0 ? ' ✕' : '')
}

/** Protocols that a table leaves out: HTTP/1.1 is usual, and a status shows gRPC. */
const PLAIN = new Set(['', 'HTTP/1.1', 'gRPC', 'bytes'])

/** Minimum columns of a terminal for notes that also show the cause of a failure. */
const MIN_WITH_CAUSE = 100

function notesOf(call: Api.Call, hasCause: boolean): readonly string[] {
  const protocol = protocolText(call)
  const notes = [
    PLAIN.has(protocol) ? '' : protocol,
    ...call.marks.filter(mark => !['grpc', 'ours'].includes(mark)),
    hasCause ? shownCause(call.failure) : ''
  ]
  return notes.filter(text => text !== '')
}
