import {existsSync} from 'node:fs'
import {calledPort, findRuns, type FoundRun} from '../../../../control/client.ts'
import {knownCopies, startsOf, type KnownCopy} from '../../../../control/known-copies.ts'
import {startingRuns} from '../../../../control/starting-runs.ts'
import {findTemplate} from '../../../../files/config/find.ts'
import {memoryText} from '../../../../model/app-words.ts'
import {runLines} from '../../../../platform/run-lines.ts'
import {usageOf} from '../../../../platform/usage.ts'
import {type CommandHandler, UsageError} from '../../command-handler.ts'
import type {GivenFlags} from '../../given-flags.ts'
import {commandPlace} from '../../pick-run.ts'
import {print} from '../../print.ts'
import {say} from '../../say.ts'
import {tableOf} from '../../table.ts'

/** A copy as `copies -o json` prints it. */
interface CopyRow {
  readonly name: string
  readonly folder: string
  readonly branch: string
  readonly state: 'running' | 'starting' | 'stopped' | 'gone'
  readonly pid: number
  /** Port of each app, by the id of the app. */
  readonly ports: Readonly<Record<string, number>>
  /** URL with a host name of each app that has one, by the id of the app. */
  readonly names: Readonly<Record<string, string>>
  /** Memory of the copy's apps in bytes. Null if the copy does not run. */
  readonly memoryBytes: number | null
  /** Size of the copy's folder in bytes. Null if the folder is gone. */
  readonly diskBytes: number | null
}

/** `copies [-o json]`: the copies of the template of the folder. */
export const listCopies: CommandHandler = async ({flags, words: [word], asJson}) => {
  if (word !== undefined) throw new UsageError(`unknown command "${word}" for "pillion copies"`)
  const runs = await findRuns(process.env)
  const rows = await Promise.all(copiesOf(flags).map(async copy => rowOf(copy, runs)))
  if (flags.text('output') === 'json') print(process.stdout, `${JSON.stringify(rows)}\n`)
  else print(process.stdout, table(rows))
  const gone = rows.filter(({state}) => state === 'gone').map(({name}) => name)
  if (gone.length > 0)
    say(
      process.stderr,
      'info',
      `gone: ${gone.join(', ')}. pillion copies forget NAME removes what a copy has left`,
      asJson
    )
  return 0
}

/** Returns the copies of the folder's template. Throws a UserError if there is no template. */
export const copiesOf = (flags: GivenFlags): readonly KnownCopy[] =>
  knownCopies(process.env, commandPlace(flags).template ?? findTemplate('.', process.cwd()).file)

async function rowOf(copy: KnownCopy, runs: readonly FoundRun[]): Promise<CopyRow> {
  const {name, folder, branch, isGone, run} = copy
  const start =
    run === undefined ? startsOf([copy], startingRuns(process.env)).find(each => each.name === name) : undefined
  const apps = runs.find(({listing}) => listing.pid === run?.pid)?.listing.apps ?? []
  const pids = new Set(apps.map(({pid}) => pid).filter(pid => pid > 0))
  const usage = run === undefined ? undefined : await usageOf(pids)
  return {
    name,
    folder,
    branch,
    state: run !== undefined ? 'running' : start !== undefined ? 'starting' : isGone ? 'gone' : 'stopped',
    pid: (run ?? start)?.pid ?? 0,
    ports: Object.fromEntries(apps.filter(({appPort}) => appPort > 0).map(app => [app.id, calledPort(app)])),
    names: Object.fromEntries(apps.flatMap(({id, nameUrl}) => (nameUrl === undefined ? [] : [[id, nameUrl]]))),
    memoryBytes: usage === undefined ? null : [...usage.values()].reduce((sum, {memoryBytes}) => sum + memoryBytes, 0),
    diskBytes: existsSync(folder) ? await sizeOf(folder) : null
  }
}

/** Returns the size of a folder in bytes, as du(1) counts it: cloned blocks count in each copy. */
async function sizeOf(folder: string): Promise<number> {
  const {last} = await runLines(['du', '-sk', folder], {folder: '/'})
  return Number(/^\d+/.exec(last)?.[0] ?? 0) * 1024
}

/** Lists the host names of a copy. Names that differ only in the app become one, with `APP` in its place. */
function namesText(names: CopyRow['names']): string {
  const urls = Object.values(names)
  const [first = '', ...others] = [
    ...new Set(Object.entries(names).map(([id, url]) => url.replace(`//${id}-`, '//APP-')))
  ]
  return urls.length > 1 && others.length === 0 ? first : urls.join(', ')
}

const table = (rows: readonly CopyRow[]): string =>
  tableOf([
    ['NAME', rows.map(({name}) => name)],
    ['STATE', rows.map(({state}) => state)],
    ['BRANCH', rows.map(({branch}) => branch)],
    [
      'PORTS',
      rows.map(({ports}) =>
        Object.entries(ports)
          .map(([id, port]) => `${id} ${port}`)
          .join(', ')
      )
    ],
    ['NAMES', rows.map(({names}) => namesText(names))],
    ['MEMORY', rows.map(({memoryBytes}) => (memoryBytes === null ? '' : memoryText(memoryBytes)))],
    ['DISK', rows.map(({diskBytes}) => (diskBytes === null ? '' : memoryText(diskBytes)))],
    ['FOLDER', rows.map(({folder}) => folder)]
  ])
