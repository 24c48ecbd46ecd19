import type {RunControl, SharedTerminal} from '../../control/run-control.ts'
import {END_TRAILER, type TerminalEnd, type TerminalSize} from '../../model/terminal.ts'
import type * as Api from '../../model/api.generated.ts'
import {appsNamed, isNamed, type AppName} from './apps.ts'
import {ApiProblem} from './problem.ts'
import type {ApiRequest} from './route.ts'

/** How many bytes may wait for a slow reader: an app does not wait for its viewers. */
const MAX_WAITING = 1024 * 1024

/** Sends the output of an app's terminal until the app has ended, then its end. Throws an ApiProblem. */
export async function showTerminal(
  control: RunControl,
  name: AppName,
  {query, response, gone}: ApiRequest
): Promise<undefined> {
  const terminal = await screenOf(control, name, gone)
  if (gone.aborted) return undefined // a client that left during the start does not keep it awake
  const size = sizeIn(query)
  response.writeHead(200, {'content-type': 'application/octet-stream'}).flushHeaders()
  if (size !== undefined) terminal.resize(size)
  let left = 0
  const tellLeft = (): void => {
    if (left > 0) response.write(`\r\n[${left} bytes were left out: they were read too slowly]\r\n`)
    left = 0
  }
  const off = terminal.attach({
    show: bytes => {
      if (response.writableLength > MAX_WAITING) return void (left += bytes.length)
      tellLeft()
      response.write(bytes)
    },
    ended: () => {
      tellLeft()
      // asked now: later the run might be gone with its last app
      const named = control.list().apps.filter(app => isNamed(app, name))
      const {exit = '', exitCode = null} = named.find(({isMain}) => isMain) ?? named[0] ?? {}
      const end: TerminalEnd = {exit, exitCode}
      response.addTrailers({[END_TRAILER]: JSON.stringify(end)})
      response.end()
    }
  })
  response.once('close', off)
  return undefined
}

/** Types the body of a request once a process can read it, or only changes the size. Throws an ApiProblem. */
export async function typeInto(
  control: RunControl,
  name: AppName,
  {query, body, gone}: ApiRequest
): Promise<Api.Typed> {
  const terminal = await screenOf(control, name, gone, body !== '')
  const size = sizeIn(query)
  if (size !== undefined) terminal.resize(size)
  const why = body === '' ? '' : await terminal.type(Buffer.from(body, 'latin1'), gone)
  if (why !== '') throw refused(name, why)
  return {bytes: body.length}
}

async function screenOf(control: RunControl, name: AppName, gone: AbortSignal, starts = true): Promise<SharedTerminal> {
  appsNamed(control.list().apps, name)
  const terminal = (await control.terminal(name, starts, gone)) ?? 'it has left the run'
  if (typeof terminal === 'string') throw refused(name, terminal)
  return terminal
}

const refused = ({id}: AppName, reason: string): ApiProblem =>
  new ApiProblem(409, `no terminal can attach to "${id}": ${reason}`, '', {reason})

/** Maximum columns or rows of a terminal. */
const MAX_SIDE = 10_000

function sizeIn(query: URLSearchParams): TerminalSize | undefined {
  const [columns, rows] = ['columns', 'rows'].map(name => query.get(name) ?? '')
  if (columns === '' && rows === '') return undefined
  const size = {columns: Number(columns), rows: Number(rows)}
  if (Object.values(size).every(each => Number.isInteger(each) && each > 0 && each < MAX_SIDE)) return size
  throw new ApiProblem(
    400,
    `${columns ?? ''}×${rows ?? ''} is no size of a terminal`,
    'Write columns=80&rows=24, for example.'
  )
}
