import {join} from 'node:path'
import type {Test} from 'tap'
import {parse} from 'yaml'
import {importFrom, type ImportRequest} from '../import-template.ts'
import {templateText} from '../write-template.ts'
import {UserError} from '../../../model/errors.ts'

/** A folder's files by name; a map is a folder. */
export type Files = Readonly<{[name: string]: string | Files}>

export interface Written {
  readonly text: string
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
  native?: ImportRequest['native']
): Promise<Written> {
  const folder = test.testdir({shop: files})
  const cwd = join(folder, 'shop')
  const {imported: found} = await importFrom([path].flat(), {from, cwd, native})
  const text = templateText(found, join(cwd, 'dapr.yaml'))
  // which apps sleep is for the user to say
  test.notMatch(text, /\b(lazy|idleTimeout):/)
  const notes = [...text.matchAll(/# import: (.*)/g)].map(([, note = '']) => note)
  return {text, template: parse(text) as Written['template'], notes}
}

/** Why files are not imported. */
export async function refusal(
  test: Test,
  files: Files,
  path: string | readonly string[] = '.',
  from?: string
): Promise<UserError> {
  try {
    await imported(test, files, path, from)
  } catch (error) {
    if (error instanceof UserError) return error
    throw error
  }
  throw new Error('the files were accepted')
}
