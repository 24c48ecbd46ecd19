import {idInName, isNamedSo} from '../../model/plan.ts'
import type {LogLine} from '../logging/headed-lines.ts'
import {withoutColours} from '../../model/text-lines.ts'
import {levelOf} from '../../model/line-level.ts'
import type * as Api from '../../model/api.generated.ts'

/** Whether the writer with this name is an instance or a version of an app. */
export const isOfApp = (name: string, app: string): boolean => isNamedSo({id: idInName(name), name}, app)

/** Returns a line for display. `text`: decoded, with its colours. */
export function lineView({time, app, stream}: Pick<LogLine, 'time' | 'app' | 'stream'>, text: string): Api.Line {
  const line = withoutColours(text)
  // status lines are Pillion's own and have no level
  const level = stream === 'status' ? undefined : levelOf(line)
  return {
    time: time === 0 ? null : new Date(time).toISOString(),
    app,
    stream: stream === '-' ? null : stream,
    line,
    ...(level !== undefined && {level}),
    ...(line !== text && {coloured: text})
  }
}
