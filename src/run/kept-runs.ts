// The file of the latest runs of a template: a line of JSON for each.
import {readFileSync} from 'node:fs'
import {dirname, join} from 'node:path'
import type {KeptRun} from '../model/api.generated.ts'
import {codeOf, messageOf, UserError} from '../model/errors.ts'
import {makeFolder, writeWhole} from '../platform/make-folder.ts'
import {repositoryAbove} from '../platform/paths.ts'
import {commonOf, gitOf, gitText} from '../platform/git-folder.ts'
import {isObject} from '../model/is-object.ts'
import {orElse} from '../model/or-else.ts'
import {edgeViews} from '../observe/api/edges.ts'
import {Masking} from '../observe/telemetry/recorder/masking.ts'
import {fileOfTemplate, type TemplateRuns} from './last-exits.ts'
import type {RunContext} from './run-context.ts'
import type {RunRecorder} from './run-recorder.ts'

/** Maximum number of runs in the file. The oldest is removed. */
const MAX_RUNS = 30
/** Maximum number of tries to write: two runs that write at the same moment overwrite each other. */
const MAX_TRIES = 3
/** Maximum number of edges, the busiest ones, so that the file stays small. */
const MAX_EDGES = 200

/** Reads the runs of a template, the oldest first. Skips broken lines. Throws a UserError if the file exists but cannot be read. */
export function keptRuns({env, template, name}: TemplateRuns): readonly KeptRun[] {
  try {
    return readFileSync(fileOfTemplate(env, 'runs', template, name), 'utf8')
      .split('\n')
      .flatMap(parsed)
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') return []
    throw new UserError(`the earlier runs of ${template} cannot be read: ${messageOf(cause)}`, {cause})
  }
}

function parsed(line: string): readonly KeptRun[] {
  const run = orElse(() => JSON.parse(line) as unknown, undefined)
  return isObject(run) && typeof run['run'] === 'string' && Array.isArray(run['edges'])
    ? [run as unknown as KeptRun]
    : []
}

/** Writes the facts of a run so far: its exits and its counts of calls. Throws if the file cannot be written. */
export function keepKnown(context: RunContext, {calls: recorded, deaths, masked}: RunRecorder, isOver: boolean): void {
  const {plan, env, run, startedAt} = context
  const died = Map.groupBy(deaths?.all() ?? [], ({app}) => app)
  const masking = new Masking(masked) // the address in an edge may have a password
  const busiest = edgeViews(recorded).slice(0, MAX_EDGES)
  keepRun(
    {env, template: plan.file, name: plan.copy ?? ''},
    {
      run,
      startedAt: new Date(startedAt).toISOString(),
      lastKnownAt: new Date().toISOString(),
      isOver,
      commit: commitAt(plan.file),
      exits: Array.from(died, ([app, all]) => ({app, exits: all.length})),
      edges: busiest.map(({from, to, calls, failed, p95Ms}) => ({from, to: masking.target(to), calls, failed, p95Ms}))
    }
  )
}

/** Writes the facts of a run in place of its earlier ones. Throws if the file cannot be written. */
export function keepRun(of: TemplateRuns, run: KeptRun): void {
  const path = fileOfTemplate(of.env, 'runs', of.template, of.name)
  makeFolder(dirname(path), 0o700)
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const others = keptRuns(of).filter(each => each.run !== run.run)
    const lines = [...others, run].slice(-MAX_RUNS).map(each => `${JSON.stringify(each)}\n`)
    writeWhole(path, lines.join(''), 0o600)
    if (keptRuns(of).some(each => each.run === run.run)) return
  }
}

/** Returns the commit that is checked out around a file; '': none. */
export function commitAt(file: string): string {
  const root = repositoryAbove(dirname(file))
  if (root === undefined) return ''
  const git = gitOf(root)
  const head = gitText(join(git, 'HEAD'))
  const [, ref] = /^ref: (\S+)$/m.exec(head) ?? []
  if (ref === undefined) return hashIn(head)
  const common = commonOf(git)
  const packed = gitText(join(common, 'packed-refs'))
    .split('\n')
    .find(line => line.endsWith(` ${ref}`))
  return hashIn(gitText(join(git, ref)) || gitText(join(common, ref)) || (packed ?? ''))
}

const hashIn = (text: string): string => /^[0-9a-f]{40,64}\b/.exec(text)?.[0] ?? ''
