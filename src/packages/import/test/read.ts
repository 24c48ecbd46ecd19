import {writeFileSync} from 'node:fs'
import {dirname, join} from 'node:path'
import type {Test} from 'tap'
import {parse} from 'yaml'
import {importFrom} from '../import-template.ts'
import {templateText} from '../write-template.ts'
import type {RunTool} from '../reading/other-tool.ts'
import {UserError} from '../../../model/errors.ts'

/** A folder's files by name; a map is a folder. */
export type Files = Readonly<{[name: string]: string | Files}>

export interface Written {
  readonly text: string
  /** The same with the network of the run in the commands of containers, which `text` and `template` leave out. */
  readonly whole: string
  /** The template that the text is. */
  readonly template: Record<string, unknown> & {readonly apps: readonly Readonly<Record<string, unknown>>[]}
  /** What stands behind `# import:`, in order. */
  readonly notes: readonly string[]
}

/** The template that `pillion import` writes of these files, into their folder. */
export async function imported(
  test: Test,
  files: Files,
  path: string | readonly string[] = '.',
  from?: string,
  {tool, all = true}: {readonly tool?: RecordedTool; readonly all?: boolean} = {}
): Promise<Written> {
  const folder = test.testdir({shop: files})
  const cwd = join(folder, 'shop')
  const {imported: found} = await importFrom([path].flat(), {from, cwd, all, ...(tool && {run: runOf(tool, cwd)})})
  const whole = templateText(found, join(cwd, 'dapr.yaml'))
  const text = whole.replaceAll(/--network, pillion, (?:--network-alias, [^,\]]+, )*/g, '')
  // which apps sleep is for the user to say
  test.notMatch(text, /\b(lazy|idleTimeout):/)
  const notes = [...text.matchAll(/# import: (.*)/g)].map(([, note = '']) => note)
  return {text, whole, template: parse(text) as Written['template'], notes}
}

/** The output of a tool for a folder: what it prints, or a file that it writes behind `--output-path`. */
export type RecordedTool = (folder: string, out: string) => object

const runOf =
  (tool: RecordedTool, cwd: string): RunTool =>
  async ({command}) => {
    const out = command[command.indexOf('--output-path') + 1] ?? ''
    const isFile = command.includes('--output-path')
    const text = JSON.stringify(tool(cwd, dirname(out)))
    if (isFile) writeFileSync(out, text)
    return Promise.resolve(isFile ? '' : text)
  }

/** Why files are not imported. */
export async function refusal(
  test: Test,
  files: Files,
  path: string | readonly string[] = '.',
  from?: string,
  tool?: RecordedTool
): Promise<UserError> {
  try {
    await imported(test, files, path, from, {...(tool && {tool})})
  } catch (error) {
    if (error instanceof UserError) return error
    throw error
  }
  throw new Error('the files were accepted')
}
