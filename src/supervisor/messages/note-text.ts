import type {Note} from '../process/supervised.ts'
import {endOf} from '../../model/exit-text.ts'
import type {Reporter} from '../../model/reporter.ts'

const CODES = {
  'port-taken': 'port-taken',
  refused: 'server-of-other-run',
  'not-ready': 'app-not-ready',
  'no-limits': 'no-limits',
  'no-network': 'no-network',
  'given-up': 'app-given-up',
  'orphan-ended': 'process-ended',
  'in-background': 'in-background'
} as const

/** Warns about events of an app other than state changes. `hint`: further information. */
export const reportNote = (reporter: Reporter, id: string, note: Note, hint = ''): void =>
  reporter.warn(CODES[note.type], hint === '' ? noteText(id, note) : `${noteText(id, note)}; ${hint}`)

function noteText(id: string, note: Note): string {
  switch (note.type) {
    case 'port-taken': {
      const owner = note.owner === undefined ? 'another program' : `${note.owner.command} (pid ${note.owner.pid})`
      const what = note.isCalled ? 'calls wait' : `"${id}" is not ready`
      return `port ${note.port} of "${id}" is already in use by ${owner}: ${what} until "${id}" itself listens on it`
    }
    case 'refused':
      return `"${id}" is not ready: ${note.command} is not run: ${note.why}`
    case 'no-limits':
      return `limits cannot be set here: ${note.why}. Apps run without them, the first of them "${id}"`
    case 'no-network':
      return `"${id}": ${note.why}`
    case 'not-ready':
      return `"${id}" is not ready after ${note.timeoutMs / 1000} s: ${note.tried}`
    case 'given-up': {
      const line = note.line === '' ? '' : `\n    ${note.line}`
      return `"${id}" is no longer restarted: it ${endOf(note.exit)} within a second, ${note.times} times in a row${line}`
    }
    case 'orphan-ended':
      return `ended process ${note.pid}, which had left the process group of its app: ${note.command}`
    case 'in-background':
      return `"${id}" has put itself into the background: Pillion follows process ${note.pid}, which listens on port ${note.port}`
  }
}
