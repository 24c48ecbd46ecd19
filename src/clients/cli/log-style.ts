import {idInName, instanceName, type Plan} from '../../model/plan.ts'
import {appPrefix} from '../../model/text-lines.ts'
import {asBytes} from '../../model/bytes.ts'
import type {ConsoleView} from '../../observe/logging/app-log.ts'
import {dimmed, painted} from './paint.ts'
import {UsageError} from './command-handler.ts'
import {cut, padEnd, widthOf} from './width.ts'

/** `dapr`: `== APP - api == line`; `short`: `api │ line`, aligned. */
type LogStyle = 'dapr' | 'short'

/** Returns the value of `--log-style`. Throws a UsageError if it is invalid. */
export function logStyleOf(value: string | undefined): LogStyle {
  if (value === undefined || value === 'dapr' || value === 'short') return value ?? 'dapr'
  throw new UsageError(`invalid argument "${value}" for "--log-style" flag: expected "dapr" or "short"`)
}

/** Maximum columns of a name in a prefix. A longer name is cut: the lines matter more. */
const MAX_NAME = 20

/** Returns the prefix of the lines of each app on the console. undefined: the same as in the log files. */
export function prefixesFor(
  {apps}: Plan,
  {style, isPainted}: {style: LogStyle; isPainted: boolean}
): (name: string, index: number) => string | undefined {
  if (style === 'dapr') return (name, index) => (isPainted ? `${painted(`== APP - ${name} ==`, index)} ` : undefined)
  const names = apps.map(({id, instance}) => widthOf(instanceName(id, instance)))
  const width = Math.min(MAX_NAME, Math.max(0, ...names))
  return (name, index) => {
    const text = `${padEnd(cut(name, MAX_NAME), width)} │`
    return `${isPainted ? painted(text, index) : text} `
  }
}

/** Returns the prefix of the lines of each app in `logs`; `names` are the apps in the order of the template, which gives them their colours. */
export function logPrefixes(names: readonly string[], isPainted: boolean): (app: string) => string {
  if (!isPainted) return appPrefix
  const painters = new Map<string, string>()
  return app => {
    const known = painters.get(app)
    if (known !== undefined) return known
    const prefix = asBytes(`${painted(`== APP - ${app} ==`, Math.max(0, names.indexOf(app)))} `)
    painters.set(app, prefix)
    return prefix
  }
}

/** Choices about the lines of apps on our console, which keys change: of which apps, and whether with times. */
export class LineView implements ConsoleView {
  hasTimes: boolean
  /** Ids of the apps whose lines are shown. Undefined shows the lines of all. */
  only: ReadonlySet<string> | undefined
  readonly hidesStatus: boolean
  readonly #isPainted: boolean

  constructor(of: {readonly hasTimes: boolean; readonly isPainted: boolean; readonly hidesStatus?: boolean}) {
    this.hidesStatus = of.hidesStatus === true
    this.hasTimes = of.hasTimes
    this.#isPainted = of.isPainted
  }

  shows(name: string): boolean {
    return this.only === undefined || this.only.has(name) || this.only.has(idInName(name))
  }

  stamp(): string {
    if (!this.hasTimes) return ''
    const time = clockText(new Date())
    return asBytes(`${this.#isPainted ? dimmed(time) : time} `)
  }
}

/** `18:04:05.123`, local time. */
export const clockText = (at: Date): string =>
  `${at.toTimeString().slice(0, 8)}.${at.getMilliseconds().toString().padStart(3, '0')}`
