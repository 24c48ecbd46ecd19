import {NoYaml} from '../../../../src/files/config/source.ts'
import {yamlMistake} from '../../../../src/files/config/foreign-file.ts'
import {join} from 'node:path'
import type {Test} from 'tap'
import {UserError} from '../../../../src/model/errors.ts'
import {impliedWatch} from '../../../../src/files/config/implied-watch.ts'
import {findTemplate} from '../../../../src/files/config/find.ts'
import {findingsIn} from '../../../../src/files/config/findings.ts'
import type {Finding} from '../../../../src/files/config/hints.ts'
import {loadTemplate, openFile, resolveWritten} from '../../../../src/files/config/load.ts'
import type {Plan} from '../../../../src/model/plan.ts'

/** A folder's files by name; a map is a folder. */
export type Files = Readonly<{[name: string]: string | Files}>

export interface Setting {
  readonly files?: Files
  readonly env?: Readonly<Record<string, string>>
  readonly watch?: boolean
}

/** Writes a template beside two apps, `orders` and `checkout`, and answers with the folder. */
export const openShop = (t: Test, yaml: string, files: Files = {}): string =>
  t.testdir({'dapr.yaml': yaml, orders: {'app.mjs': ''}, checkout: {'app.mjs': ''}, home: {}, ...files})

/** A template as it was loaded. */
export interface Read {
  readonly plan: Plan
  readonly findings: readonly Finding[]
}

/** Loads the template of a shop as `-f .` does: one file, without interpolation. */
export function loadIn(folder: string, {env = {}, watch = false}: Setting = {}): Read {
  const around = {cwd: folder, home: join(folder, 'home'), env, readStdin: () => ''}
  const {found, source, document} = openFile(findTemplate('.', folder), around)
  const reading = {source, faults: []}
  const written = {found, source, documents: [document], unset: [], reading, root: document.root}
  const {plan, ...checked} = resolveWritten(written, around, watch ? {impliedWatch} : {})
  return {plan, findings: findingsIn(checked)}
}

/** What else the command line says. */
export interface Asked extends Setting {
  /** What `-f` names. */
  readonly named?: readonly string[]
  readonly profiles?: readonly string[]
  readonly variables?: Readonly<Record<string, string>>
}

/** Loads the files that `-f` names. */
export async function loadAll(
  folder: string,
  {env = {}, named = ['.'], profiles, variables}: Asked = {}
): Promise<Read> {
  const around = {cwd: folder, home: join(folder, 'home'), env, readStdin: () => ''}
  const more = {...(profiles && {profiles}), ...(variables && {variables})}
  const {plan, findings} = await loadTemplate(named, around, {watch: false, ...more})
  return {plan, findings: await findings()}
}

export const load = (t: Test, yaml: string, setting: Setting = {}): Read =>
  loadIn(openShop(t, yaml, setting.files), setting)

/** The error that stops a template; the shop's folder is written as `$` in its texts. */
export function failure(
  t: Test,
  yaml: string,
  setting: Setting = {}
): Pick<UserError, 'message' | 'stream' | 'explanation' | 'exitCode' | 'mendedBy'> {
  const folder = openShop(t, yaml, setting.files)
  try {
    loadIn(folder, setting)
  } catch (thrown) {
    const error = thrown instanceof NoYaml ? yamlMistake(thrown) : thrown
    if (!(error instanceof UserError)) throw error
    const {message, stream, explanation, exitCode, mendedBy} = error
    return {
      message: message.replaceAll(folder, '$'),
      stream,
      explanation: explanation.replaceAll(folder, '$'),
      exitCode,
      mendedBy: mendedBy.map(path => path.replaceAll(folder, '$'))
    }
  }
  throw new Error('the template was accepted')
}

/** A template of one app, `orders`; the lines come into its entry, the first of them is line 5. */
export const orders = (...lines: readonly string[]): string =>
  [
    'version: 1',
    'apps:',
    '  - appID: orders',
    '    appDirPath: ./orders',
    ...lines.map(line => `    ${line}`),
    ''
  ].join('\n')
