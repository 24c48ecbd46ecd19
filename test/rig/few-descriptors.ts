import {execFile} from 'node:child_process'
import {promisify} from 'node:util'

/** The code before that of a script: `fill` opens files until no descriptor is free, `free` closes them. */
const PREFACE = `
  import {closeSync, openSync} from 'node:fs'
  import {equal, rejects} from 'node:assert/strict'
  const files = []
  const fill = () => {
    try {
      for (;;) files.push(openSync('/dev/null'))
    } catch {}
  }
  const free = () => files.splice(0).forEach(file => closeSync(file))
`

/** Runs a script in a process that may open a few files only. Rejects if it fails. */
export async function withFewDescriptors(script: string): Promise<void> {
  const args = ['-c', 'ulimit -n 64 && exec "$0" --input-type=module -e "$1"', process.execPath, PREFACE + script]
  await promisify(execFile)('sh', args)
}
