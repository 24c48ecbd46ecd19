/** A thread that reads projects, so that one that is never read to its end can be left. */
import {componentType} from '../../src/dapr/components/block-types.ts'
import {mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {dirname, join} from 'node:path'
import {parentPort} from 'node:worker_threads'
import {UserError, type PlacedMistake} from '../../src/model/errors.ts'
import {ResourceStore} from '../../src/files/resources/resource-store.ts'
import {loadTemplate} from '../../src/files/config/load.ts'
import type {Files} from './files.ts'

const HOME = '/nowhere'
const folder = mkdtempSync(join(tmpdir(), 'fuzz-'))
process.on('exit', () => rmSync(folder, {recursive: true, force: true}))

/** What a reader says of a project. */
export type Told = {readonly verdict: 'right' | 'wrong'} | {readonly fault: string}

/** Reads a project as `validate` and `run` do. Throws what is not told to the user as a mistake with its place. */
async function verdict(files: Files): Promise<'right' | 'wrong'> {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(folder, dirname(path)), {recursive: true})
    writeFileSync(join(folder, path), text)
  }
  try {
    const {plan, findings} = await loadTemplate(
      '.',
      {cwd: folder, home: HOME, env: {HOME}, readStdin: () => ''},
      {watch: true}
    )
    for (const finding of await findings()) checkPlace(files, finding)
    const reporter = {warn: (_: string, text: string): void => checkMessage(text)}
    const store = new ResourceStore({env: {HOME}, cwd: folder, reporter, types: async () => componentType})
    for (const app of plan.apps) {
      const {snapshot} = await store.open(app)
      for (const fault of snapshot.faults) checkPlace(files, fault)
    }
    return 'right'
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    checkMessage(error.message)
    for (const mistake of error.mistakes) checkPlace(files, mistake)
    return 'wrong'
  }
}

function checkMessage(message: string): void {
  if (message === '' || /\n\s+at /.test(message)) throw new Error(`no message for people: ${message}`)
}

/** A place is in the text. */
function checkPlace(files: Files, {message, place: {file, line, column}}: PlacedMistake): void {
  const text = files[file]?.replace(/^\uFEFF/, '')
  const there = text?.split(/\r\n|[\r\n\u0085\u2028\u2029]/)[line - 1] // the line ends of YAML 1.1
  if (text === undefined || (there !== undefined && column >= 1 && column <= there.length + 1)) return
  throw new Error(`wrong place ${line}:${column} of "${message}"`)
}

// what node or a library prints by itself is no message either
let warning = ''
process.on('warning', ({message}) => (warning = message))

async function tell(files: Files): Promise<void> {
  let told: Told
  try {
    told = {verdict: await verdict(files)}
  } catch (error) {
    told = {fault: error instanceof Error ? (error.stack ?? error.message) : String(error)}
  }
  setImmediate(() => {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has none
    parentPort?.postMessage(warning === '' ? told : {fault: `printed: ${warning}`})
    warning = ''
  })
}

parentPort?.on('message', (files: Files) => void tell(files))
