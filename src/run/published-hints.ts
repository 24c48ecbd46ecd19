import {setTimeout as wait} from 'node:timers/promises'
import type {Exit} from '../model/app-state.ts'
import type {AppPlan} from '../model/plan.ts'
import type {Reporter} from '../model/reporter.ts'
import type {AppRuntime} from '../supervisor/app-runtime.ts'
import {listeningOf} from '../supervisor/messages/port-hint.ts'
import {portAdvice, programText} from './port-advice.ts'

/** Output of programs that cannot bind a port. */
export const PORT_TAKEN =
  /EADDRINUSE|AddrInUse|\[Errno (?:98|48)\]|\b(?:address|port|connection) (?:\S+ )?(?:is |was )?(?:already )?in use|:\d+ (?:is )?already in use/i

/** Time in which a program listens, or prints why it does not, in ms. */
const LISTENS_WITHIN_MS = 5000
/** Life of a program that ignores a failed bind and ends at once, in ms. */
const ENDS_AT_ONCE_MS = 5000

/** Returns the lines that may report a taken port, on stdout or stderr. */
export const linesAtEnd = ({bestLine, lastLines: {stdout, stderr}}: AppRuntime['app']): readonly string[] => [
  bestLine,
  ...stdout,
  ...stderr
]

/** Warns after the end of a process that wanted the port at which we listen for its app. */
export function hintAtEnd(
  {id, plan, app, appPort, isListening}: AppRuntime,
  exit: Exit,
  livedMs: number,
  reporter: Reporter
): void {
  const {published} = plan
  if (published === undefined) return
  const taken = linesAtEnd(app).filter(line => PORT_TAKEN.test(line))
  // it read PORT: another process, as one of a debugger, has that port
  if (taken.some(line => line.includes(appPort.toString()))) return
  const wasTaken = taken.length > 0
  const isSilent = exit.kind === 'code' && exit.code === 0 && livedMs < ENDS_AT_ONCE_MS && !isListening
  if (!wasTaken && !isSilent) return
  const what = wasTaken ? 'could not listen' : 'ended with 0 before it listened, as some programs do that cannot'
  reporter.warn('fixed-port-not-used', `"${id}" ${what}: ${elsewhere(plan, undefined)}`)
}

/** Warns about a program that has moved on to another port without a word: only the ports of its processes show that. */
export async function hintIfMovedOn(runtime: AppRuntime, reporter: Reporter): Promise<void> {
  const {id, plan, pid, appPort} = runtime
  if (plan.published === undefined || pid === 0) return
  await wait(LISTENS_WITHIN_MS, undefined, {ref: false})
  if (runtime.pid !== pid || runtime.isListening) return
  const ports = [...new Set((await listeningOf({plan, pid}))?.map(({port}) => port))]
  if (ports.length === 0 || ports.includes(appPort)) return
  reporter.warn(
    'fixed-port-not-used',
    `"${id}" listens on port ${ports.join(', ')}, and not on ${appPort}: ${elsewhere(plan, ports[0])}`
  )
}

const elsewhere = ({published, command, folder}: AppPlan, listening: number | undefined): string =>
  `Pillion listens on port ${published?.number ?? 0} for it, so its program has to listen elsewhere; ${portAdvice(programText(command, folder), listening)}`
