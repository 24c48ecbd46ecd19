import {decoded} from '../model/bytes.ts'
import type {AppHistory} from '../observe/api/wait/wait-context.ts'
import {succeeded, type Exit} from '../model/app-state.ts'
import type {CallObserver} from '../model/call.ts'
import type {RunEvent} from '../model/events.ts'
import {endOf} from '../model/exit-text.ts'
import {versionedName} from '../model/plan.ts'
import type {Reporter} from '../model/reporter.ts'
import type {AppRuntime} from '../supervisor/app-runtime.ts'
import type {KeptExit} from '../supervisor/crash-reporter.ts'
import {CallRecorder} from '../observe/telemetry/recorder/call-recorder.ts'
import {Deaths, type Death} from '../observe/telemetry/recorder/deaths.ts'
import type {LogRecord} from '../observe/logging/log-record.ts'
import {heldWorkText} from '../work/workflow/held-work-text.ts'
import type {Workflows} from '../work/workflow/workflows.ts'

/** The last lines of a part of a log, decoded, without the app's prefix. */
async function lastLines(
  record: LogRecord,
  {start, end}: {readonly start: number; readonly end: number},
  count: number
): Promise<readonly string[]> {
  let text = ''
  for await (const piece of record.read(Math.max(start, await record.startOfLast(count, end)), end)) text += piece
  const lines = decoded(text).split('\n')
  if (lines.at(-1) === '') lines.pop()
  const {withoutNativeStack} = await import('../model/code-place.ts')
  return withoutNativeStack(lines.map(line => line.replace(/^== APP - [^=]* == /, '').slice(0, MAX_LINE)))
}

/** Returns the file and line of a failure in the code of this folder; '': unknown. */
async function placeOf(lines: () => Promise<readonly string[]>, folder: string): Promise<string> {
  const {codePlace} = await import('../model/code-place.ts')
  return codePlace(await lines(), folder)
}

/** Maximum characters of each line: an app may write megabytes in one. */
const MAX_LINE = 4096

/** Number of lines to keep of the output before an exit. */
const LINES = 50

export interface RecorderParts {
  readonly runtimes: () => readonly AppRuntime[]
  readonly workflows: () => Workflows | undefined
  readonly onDeath: (death: Death) => void
  /** Returns advice about an exit for the user; '': none. */
  readonly adviceFor: (runtime: AppRuntime, hints: Reporter) => Promise<string>
}

/** The memory of a run: its calls, and the exits of its apps. */
export class RunRecorder {
  readonly calls: CallRecorder
  /** The latest reload of each app, by its name, and of each of its versions, by `name@version`. */
  readonly #reloads = new Map<string, NonNullable<AppHistory['reload']>>()
  /** The latest unexpected exit of each app, by name. */
  readonly #exits = new Map<string, NonNullable<AppHistory['exit']>>()
  /** The unexpected exits; undefined: none so far. */
  deaths: Deaths | undefined

  readonly #parts: RecorderParts
  /** Names from the templates whose values are masked, by app. Names of a removed app stay, as its recorded calls do. */
  readonly #masks = new Map<string, readonly string[]>()

  constructor(parts: RecorderParts) {
    this.#parts = parts
    const bodyBytesOf = (app: string): number | undefined =>
      parts.runtimes().find(({id, wanted}) => id === app || `${id}@${wanted.version}` === app)?.wanted.record.bodyBytes
    this.calls = new CallRecorder(bodyBytesOf)
  }

  /** Names from the templates whose values are masked wherever recorded bytes are shown. */
  get masked(): readonly string[] {
    return [...this.#masks.values()].flat()
  }

  /** Called when these apps have joined the run, or the template was edited. Its settings for recording apply at once, not with the next process. */
  refresh(runtimes: readonly AppRuntime[]): void {
    for (const {wanted} of runtimes) this.#masks.set(`${wanted.id}@${wanted.version}`, wanted.record.mask)
    this.calls.refresh()
  }

  /** Observes every call of the run. */
  get observer(): CallObserver {
    return this.calls
  }

  noticed(event: RunEvent): void {
    if (event.type === 'template-edited') this.refresh(this.#parts.runtimes())
    if (event.type !== 'reloaded') return
    const {id, version, files, tookMs} = event
    const reload = {files, tookMs, at: performance.now()}
    this.#reloads.set(versionedName({name: id, version}), reload)
  }

  /** The latest reload and exit of an app, by its name among the instances of all versions. */
  historyOf(home: string): AppHistory {
    return {exit: this.#exits.get(home), reload: this.#reloads.get(home)}
  }

  /** Records an unexpected exit. Undefined for a success, which needs no explanation. */
  died(runtime: AppRuntime, exit: Exit, hints: Reporter): KeptExit | undefined {
    const {id, name, home, queue, logs} = runtime
    this.#exits.set(home, {text: endOf(exit), at: performance.now()})
    if (succeeded(exit)) return undefined
    const {from, to, pid} = runtime.app.lived
    const reload = this.#reloads.get(home)
    const interrupted = queue.interruptedBy({from, to})
    const own = interrupted.filter(({pendingCall: call}) => (call.number ?? 0) === 0 && call.path.startsWith('/dapr/'))
    const {record} = logs.app
    const [start, end] = [runtime.opening.logStart, record.length]
    const lines = async (): Promise<readonly string[]> => lastLines(record, {start, end}, LINES)
    // computed now: another run with the app's port may have ended before the user asks
    const advice = this.#parts.adviceFor(runtime, hints).catch(() => '')
    this.deaths ??= new Deaths(this.calls)
    const death = this.deaths.add({
      app: id,
      version: runtime.plan.version,
      name,
      pid,
      exit,
      reason: runtime.app.bestLine,
      at: Date.now(),
      livedMs: to - from,
      files: reload !== undefined && reload.at >= from ? reload.files : [],
      inside: interrupted.map(({pendingCall, forMs}) => ({number: pendingCall.number ?? 0, forMs})),
      ...(own.length > 0 && {
        own: own.map(({pendingCall: {method, path}, forMs}) => ({method, path, from: 'its sidecar', forMs, count: 1}))
      }),
      work: this.#parts.workflows()?.heldBy(id, runtime.home, from) ?? [],
      lines,
      place: async () => placeOf(lines, runtime.plan.folder),
      advice: async () => advice
    })
    this.#parts.onDeath(death)
    const {number, inside, work} = death
    const calls = new Map(interrupted.map(({pendingCall}) => [pendingCall.number, pendingCall]))
    return {
      number,
      work: work.map(heldWorkText),
      calls: [
        ...inside.flatMap(({call, forMs, count}) => {
          const pendingCall = calls.get(call.number)
          return pendingCall === undefined ? [] : [{pendingCall, forMs, count}]
        }),
        ...own.map(each => ({...each, count: 1}))
      ]
    }
  }
}
