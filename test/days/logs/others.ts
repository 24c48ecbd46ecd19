import {
  appendFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync
} from 'node:fs'
import {basename, dirname} from 'node:path'
import {createLogFile, type LogFilePlace} from '../../../src/observe/logging/log-file.ts'

/** What the user, or their editor, does to a log file. */
export const DEEDS: readonly ((path: string) => void)[] = [
  path => truncateSync(path),
  path => truncateSync(path, readFileSync(path, 'latin1').lastIndexOf('\n') + 1),
  path => rmSync(path),
  path => rmSync(dirname(dirname(path)), {recursive: true}),
  path => appendFileSync(path, 'a note\n'),
  // it can be opened no more
  path => {
    rmSync(path)
    symlinkSync(path, path)
  },
  path => {
    writeFileSync(`${path}.new`, 'edited\nby hand\n')
    renameSync(`${path}.new`, path)
  }
]

const LINES = 9

/** Another run of the template writes some lines. Gives what was wrong: it has a file of its own, with all of them. */
export async function secondRun(
  place: Omit<LogFilePlace, 'warn'>,
  until: (isSo: () => boolean) => Promise<boolean>
): Promise<readonly string[]> {
  const faults: string[] = []
  const before = existsSync(place.folder) ? readdirSync(place.folder) : []
  const file = await createLogFile({...place, warn: text => faults.push(text)})
  if (file === undefined || before.includes(basename(file.path))) return ['a second run has no file of its own']
  for (let n = 0; n < LINES; n++) file.write({writer: {prefix: ''}, text: `of another run ${n}\n`})
  let isClosed = false
  void file.close().then(() => (isClosed = true))
  await until(() => isClosed)
  if (readFileSync(file.path, 'latin1').split('\n').length !== LINES + 1) faults.push('lines of another run are lost')
  return faults
}
