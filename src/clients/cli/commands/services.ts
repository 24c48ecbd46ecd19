import type {Service, Notification} from '../../../model/api.generated.ts'
import {UserError} from '../../../model/errors.ts'
import {UsageError, type CommandHandler} from '../command-handler.ts'
import {print} from '../print.ts'
import {runFinder} from '../run-here.ts'
import {tableOf} from '../table.ts'

const HEADS = ['MAIN', 'NAME', 'VERSION', 'STATUS', 'RUNNING'] as const

/** Returns the table of Daeploy's `ls`, as Python's tabulate prints it, right-trimmed; one empty row if there are no services. */
export function serviceTable(services: readonly Service[]): string {
  const rows = services.map(({name, version, isMain, status, startedAt, finishedAt}) => [
    isMain ? '*' : '',
    name,
    version,
    status,
    status === 'running' ? `Running (since ${seconds(startedAt)})` : stoppedText(finishedAt)
  ])
  const widths = HEADS.map((head, i) => Math.max(head.length + 2, ...rows.map(row => row[i]?.length ?? 0)))
  return [HEADS, widths.map(width => '-'.repeat(width)), ...(rows.length === 0 ? [['']] : rows)]
    .map(
      cells =>
        `${cells
          .map((cell, i) => cell.padEnd(widths[i] ?? 0))
          .join('  ')
          .trimEnd()}\n`
    )
    .join('')
}

const stoppedText = (at: number): string => (at === 0 ? 'Not started' : `Stopped (since ${seconds(at)})`)

/** Formats a time in UTC: `2026-11-20 04:57:31`. */
const seconds = (at: number): string => new Date(at).toISOString().slice(0, 19).replace('T', ' ')

/** `ls [NAME [VERSION]]`: lists the Daeploy services of one run. An unknown name gives an empty table, as with Daeploy. */
export const ls: CommandHandler = async ({flags, asJson, words: [name, version]}) => {
  const run = (await runFinder(flags, asJson)).lookAloud(name)
  const services = (await run?.api.ask('GET /services'))?.services ?? []
  const shown = services.filter(
    service => (name === undefined || service.name === name) && (version === undefined || service.version === version)
  )
  print(process.stdout, `${serviceTable(shown)}\n`)
  return 0
}

/** `assign NAME VERSION`: makes a version the main version. Calls in flight finish in the old one. There is no prompt. */
export const assign: CommandHandler = async ({flags, asJson, words: [name, version, ...rest]}) => {
  if (name === undefined || version === undefined || rest.length > 0)
    throw new UsageError('assign takes the name of a service and a version')
  const run = (await runFinder(flags, asJson)).lookAloud(name)
  if (run === undefined) throw new UserError(`No main service matching ${name}`)
  await run.api.ask('POST /services/{name}/{version}/assign', {at: {name, version}})
  print(process.stdout, `Changed main version to ${name} ${version}\n`)
  return 0
}

/** `notifications [-o json]`: lists the notifications of the services of one run, oldest first. */
export const notifications: CommandHandler = async ({flags, words, asJson}) => {
  if (words.length > 0) throw new UsageError(`notifications takes no arguments, and got ${words[0] ?? ''}`)
  const run = (await runFinder(flags, asJson)).lookAloud()
  const kept = (await run?.api.ask('GET /notifications')) ?? {}
  const all = Object.values(kept)
  if (flags.text('output') === 'json') print(process.stdout, `${JSON.stringify(kept, null, 2)}\n`)
  else print(process.stdout, all.length === 0 ? 'No notifications.\n' : table(all))
  return 0
}

const SEVERITIES: Readonly<Record<number, string>> = {0: 'INFO', 1: 'WARNING', 2: 'CRITICAL'}

const table = (all: readonly Notification[]): string =>
  tableOf([
    ['LAST', all.map(({timestamp}) => timestamp.slice(0, 19).replace('T', ' '))],
    ['TIMES', all.map(({counter}) => counter.toString())],
    ['SERVICE', all.map(({service_name}) => service_name)],
    ['VERSION', all.map(({service_version}) => service_version)],
    ['SEVERITY', all.map(({severity}) => SEVERITIES[severity] ?? severity.toString())],
    ['MESSAGE', all.map(({msg}) => msg.replaceAll(/[\r\n]+/g, ' '))]
  ])
