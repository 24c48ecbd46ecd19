import {join} from 'node:path'
import type {Test} from 'tap'
import {UserError} from '../../../src/model/errors.ts'
import {loadTemplate, type Loaded} from '../../../src/config/load.ts'

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

/** Loads the template of a shop as `-f .` does. */
export const loadIn = (folder: string, {env = {}, watch = false}: Setting = {}): Loaded =>
  loadTemplate('.', {cwd: folder, home: join(folder, 'home'), env, readStdin: () => ''}, {watch})

export const load = (t: Test, yaml: string, setting: Setting = {}): Loaded =>
  loadIn(openShop(t, yaml, setting.files), setting)

/** The error that stops a template; the shop's folder is written as `$` in its texts. */
export function failure(
  t: Test,
  yaml: string,
  setting: Setting = {}
): Pick<UserError, 'message' | 'stream' | 'explanation' | 'exitCode'> {
  const folder = openShop(t, yaml, setting.files)
  try {
    loadIn(folder, setting)
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    const {message, stream, explanation, exitCode} = error
    return {
      message: message.replaceAll(folder, '$'),
      stream,
      explanation: explanation.replaceAll(folder, '$'),
      exitCode
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
