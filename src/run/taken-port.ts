import {foreignServer, serverText} from '../control/foreign-server.ts'
import {numberPlace} from '../proxy/ports/app-port.ts'
import {numbersInFiles} from '../files/config/numbers-in-files.ts'
import {listenPorts} from '../model/plan.ts'
import type {Reporter} from '../model/reporter.ts'
import type {AppRuntime} from '../supervisor/app-runtime.ts'
import {linesAtEnd, PORT_TAKEN} from './published-hints.ts'
import type {RunContext} from './run-context.ts'

/**
 * Returns the reason why a process could not listen: the other run with its port, and the place of the number; also reports a
 * warning. Returns an empty string if it has ended for another reason, or no other run has the port.
 */
export async function takenPort(
  {env, plan, reporter}: Pick<RunContext, 'env' | 'plan'> & {readonly reporter: Reporter},
  {name, plan: app, app: process}: AppRuntime
): Promise<string> {
  const lines = linesAtEnd(process)
  if (!lines.some(line => PORT_TAKEN.test(line))) return ''
  const {file, copy = ''} = plan
  const found = await foreignServer(env, {file, copy}, portsIn(lines))
  if (found === undefined) return ''
  const {port, run} = found
  const [number] = numbersInFiles({...plan, apps: [app]}, new Set([port]))
  const written = numberPlace(plan, port)
  const place = number?.place ?? (written === undefined ? '' : `${written.file}:${written.line}`)
  const inPlace = place === '' ? '' : ` in ${place}`
  // another template may have the same number
  const advice = listenPorts(app).includes(port)
    ? 'start this run with --isolated, which gives it other ports'
    : plan.movedPorts?.has(port) === true
      ? `write $APP_PORT in place of ${port}${inPlace}, so that each copy has its own`
      : `write ${port} as port or appPort of "${app.id}" into the template, and $APP_PORT in place of ${port}${inPlace}, so that each copy has its own`
  const text = `${serverText(found)}: ${advice}, or end the other run: pillion down --name ${run.name}`
  reporter.warn('server-of-other-run', `"${name}" could not listen: ${text}`)
  return text
}

/** Returns numbers that may be the port: in lines about a taken port, and in lines that name a port. */
export function portsIn(lines: readonly string[]): ReadonlySet<number> {
  const said = lines.filter(line => PORT_TAKEN.test(line) || /\bport\b/i.test(line))
  const numbers = said.flatMap(line =>
    [...line.matchAll(/(?<![\d.])\d{2,5}(?!\.?\d)/g)].map(([digits]) => Number(digits))
  )
  return new Set(numbers.filter(number => number < 65_536))
}
