import {cpSync} from 'node:fs'
import {readFile} from 'node:fs/promises'
import {join} from 'node:path'
import {freePort} from './free-port.ts'
import type {Rig} from './rig.ts'

const EXAMPLES = join(import.meta.dirname, '../../examples')
/** What a run has left there. */
const LEFT = /\.dapr$|__pycache__$|\.db$/

export interface ExampleCopy {
  readonly folder: string
  /** In place of the one that the example fixes, which another test may have; 0: it fixes none. */
  readonly appPort: number
}

/** An example where a test may write beside it: below the rig's folder, by its name. */
export async function copyExample(rig: Rig, name: string, to = name): Promise<ExampleCopy> {
  const folder = join(rig.folder, to)
  cpSync(join(EXAMPLES, name), folder, {recursive: true, filter: path => !LEFT.test(path)})
  const text = await readFile(join(folder, 'dapr.yaml'), 'utf8').catch(() => '')
  if (!/appPort: \d/.test(text)) return {folder, appPort: 0}
  const appPort = await freePort()
  await rig.write({[`${to}/dapr.yaml`]: text.replace(/appPort: \d+/, `appPort: ${appPort}`)})
  return {folder, appPort}
}

/** Fails for each of these lines that a program has not written to stdout. */
export function hasLines(
  t: {ok(value: unknown, message: string): unknown},
  {stdout}: {readonly stdout: {readonly lines: readonly string[]}},
  lines: readonly string[]
): void {
  const written = new Set(stdout.lines)
  for (const line of lines) t.ok(written.has(line), line)
}
