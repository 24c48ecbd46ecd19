import type {Note} from '../process/supervised.ts'
import {endOf} from './why-not-running.ts'
import type {Reporter} from '../../model/reporter.ts'

const CODES = {
  'port-taken': 'port-taken',
  'not-ready': 'app-not-ready',
  'given-up': 'app-given-up',
  'orphan-ended': 'process-ended'
} as const

/** Warns about events of an app that are not changes of its state. */
export const reportNote = (reporter: Reporter, id: string, note: Note): void =>
  reporter.warn(CODES[note.type], noteText(id, note))

function noteText(id: string, note: Note): string {
  switch (note.type) {
    case 'port-taken': {
      const owner =
        note.owner === undefined ? 'another program' : `${note.owner.command} (pid ${note.owner.pid.toString()})`
      return `port ${note.port.toString()} of "${id}" was taken before it was started, by ${owner}: calls wait until "${id}" itself listens there`
    }
    case 'not-ready':
      return `"${id}" is not ready after ${(note.timeoutMs / 1000).toString()} s: ${note.tried}`
    case 'given-up': {
      const line = note.line === '' ? '' : `\n    ${note.line}`
      return `"${id}" is not started again: it ${endOf(note.exit)} ${note.markers.toString()} times in a row within a second${line}`
    }
    case 'orphan-ended':
      return `ended process ${note.pid.toString()}, which had left its app's group: ${note.command}`
  }
}
