import type {Note} from '../process/supervised.ts'
import {endOf} from './why-not-running.ts'

/** What is told about an app beside its moves, in words. */
export function noteText(id: string, note: Note): string {
  switch (note.type) {
    case 'port-taken': {
      const owner =
        note.owner === undefined ? 'another program' : `${note.owner.command} (pid ${note.owner.pid.toString()})`
      return `port ${note.port.toString()} of "${id}" was taken before it was started, by ${owner}: calls wait until "${id}" itself listens there`
    }
    case 'not-ready':
      return `"${id}" is not ready after ${(note.timeoutMs / 1000).toString()} s: ${note.tried}`
    case 'given-up': {
      const words = note.lastLines.map(line => `\n    ${line}`).join('')
      return `"${id}" is not started again: it ${endOf(note.exit)} ${note.markers.toString()} times in a row within a second${words === '' ? '' : `; its last lines on stderr:${words}`}`
    }
    case 'orphan-ended':
      return `ended process ${note.pid.toString()}, which had left its app's group: ${note.command}`
  }
}
