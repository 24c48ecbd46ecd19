import type * as Api from '../model/api.generated.ts'
import {followedLine} from './call-table.ts'

/** An event as a line of NDJSON. */
export interface ToldEvent {
  readonly id?: number
  readonly type: string
  readonly data: unknown
}

/** An event for people; '' = there is nothing to show. */
export function eventText({type, data}: ToldEvent): string {
  switch (type) {
    case 'hello':
    case 'reset': {
      const {apps} = data as Api.Run
      return apps.map(app => `${stateText(app)}\n`).join('')
    }
    case 'app':
      return `${stateText(data as Api.App)}\n`
    case 'reload': {
      const {app, files, tookMs} = data as {app: string; files: readonly string[]; tookMs: number}
      const why = files.length === 0 ? '' : `: ${files.join(', ')}`
      return `${app}  was reloaded in ${Math.round(tookMs).toString()} ms${why}\n`
    }
    case 'death': {
      const {name, exit, number} = data as Api.Death
      return `${name}  ${exit}: pillion why ${number.toString()} shows more\n`
    }
    case 'fault': {
      const {text} = data as {text: string}
      return text === '' ? '' : `${text}\n`
    }
    case 'note':
      return `${(data as {text: string}).text}\n`
    case 'calls': {
      const {calls, notShown} = data as {calls: readonly Api.Call[]; notShown: number}
      return calls.map(call => followedLine(call, Infinity)).join('') + more(notShown, 'calls')
    }
    case 'lines': {
      const {lines, notShown} = data as {lines: readonly Api.Line[]; notShown: number}
      return lines.map(({app, line}) => `${app} | ${line}\n`).join('') + more(notShown, 'lines')
    }
    case 'dropped':
      return Object.entries(data as Record<string, number>)
        .map(([what, count]) => more(count, what))
        .join('')
    case 'bye':
      return 'the run has ended\n'
    default:
      return ''
  }
}

const more = (count: number, what: string): string => (count === 0 ? '' : `… ${count.toString()} more ${what}\n`)

function stateText({id, instance, version, state, isReady, exit}: Api.App): string {
  const name = `${id}${instance > 1 ? `.${instance.toString()}` : ''}${version === '0.0.0' ? '' : `@${version}`}`
  return `${name}  ${state}${isReady ? ', ready' : ''}${exit === '' ? '' : `, ${exit}`}`
}
