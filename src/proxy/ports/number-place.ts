import {UserError, type Place} from '../../model/errors.ts'
import {orElse} from '../../model/or-else.ts'
import type {Plan} from '../../model/plan.ts'
import {readTextFile} from '../../model/read-file.ts'
import {placeIn} from '../../files/yaml/place.ts'
import {explainPlace} from '../../files/config/diagnose.ts'

type Named = Pick<Plan, 'file' | 'shownAs'>

/** Returns the place of a port in a template: the value of a key with `port` in its name, else the first such number. Undefined if there is none. */
export function numberPlace({file, shownAs}: Named, port: number): Place | undefined {
  const text = orElse(() => readTextFile(file), '') // it may be gone, or come from standard input
  const [of, any] = [String.raw`port\w*["']?\s*:\s*["']?(?:\S+:)?`, String.raw`\b`]
  const found = [of, any].map(before => new RegExp(`${before}(?=${port}\\b)`, 'i').exec(text)).find(at => at !== null)
  return found && placeIn({file: shownAs, text}, found.index + found[0].length)
}

/** Adds the place in the template to the error for a port that another program has. Returns other errors as they are. */
export function withPortPlace(error: unknown, plan: Named): unknown {
  if (!(error instanceof UserError) || error.code !== 'port-taken') return error
  const {message, stream, exitCode, code, explanation, cause} = error
  const {port = 0} = cause as {readonly port?: number}
  const place = numberPlace(plan, port)
  if (place === undefined) return error
  const explained = explainPlace(place, String(port).length, [explanation])
  return new UserError(message, {stream, exitCode, code, explanation: explained, cause})
}
