/**
 * Daeploy's SDK in a virtual environment, installed by pip once for a set of versions and kept below the system's folder for
 * temporary files. Without Python a test is skipped and says so.
 */
import {execFile} from 'node:child_process'
import {createHash} from 'node:crypto'
import {existsSync, mkdirSync, rmSync, statSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {setTimeout as pause} from 'node:timers/promises'
import {promisify} from 'node:util'
import {codeOf, messageOf} from '../../src/model/errors.ts'
import {missing} from './missing.ts'

/** What runs together: with SQLAlchemy 2 this SDK stores nothing. */
const SETS = {
  today: ['daeploy==1.3.1', 'fastapi==0.163.2', 'pydantic==2.14.3', 'uvicorn==0.54.0', 'SQLAlchemy<2'],
  older: ['daeploy==1.3.1', 'fastapi==0.92.0', 'pydantic==1.10.13', 'uvicorn==0.17.6', 'SQLAlchemy<2']
} as const

export interface Sdk {
  /** Folder of `python` and `daeploy`. */
  readonly bin: string
  /** For a program that is to find them: PATH with this folder first. */
  readonly env: Readonly<Record<string, string>>
}

/** What the installation needs of tap's test. */
interface Skipping {
  pass(message: string, extra: {readonly skip: string}): unknown
}

const run = promisify(execFile)
/** An installation that takes longer has stalled. */
const INSTALL_MS = 240_000

/** The SDK, undefined where there is no Python or no way to PyPI: then the test is skipped. */
export async function openSdk(t: Skipping, set: keyof typeof SETS = 'today'): Promise<Sdk | undefined> {
  try {
    const bin = join(await installed(SETS[set]), 'bin')
    return {bin, env: {PATH: `${bin}:${process.env['PATH'] ?? ''}`}}
  } catch (error) {
    t.pass('without the SDK', {skip: missing(`Daeploy’s SDK: ${messageOf(error)}`)})
    return undefined
  }
}

async function installed(packages: readonly string[]): Promise<string> {
  const {stdout: version} = await run('python3', ['--version'])
  const key = createHash('sha256')
    .update(`${version} ${packages.join(' ')}`)
    .digest('hex')
    .slice(0, 12)
  const folder = join(tmpdir(), `pillion-sdk-${process.getuid?.() ?? 0}-${key}`)
  const marker = join(folder, 'complete')
  for (const end = performance.now() + INSTALL_MS; !existsSync(marker); await pause(200)) {
    if (performance.now() > end) throw new Error(`somebody else has not finished ${folder}; remove it`)
    if (await install(folder, packages)) writeFileSync(marker, '')
  }
  return folder
}

/** False: another test is at it. */
async function install(folder: string, packages: readonly string[]): Promise<boolean> {
  try {
    mkdirSync(folder, {mode: 0o700})
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
    const age = Date.now() - (statSync(folder, {throwIfNoEntry: false})?.birthtimeMs ?? Date.now())
    if (age > INSTALL_MS) rmSync(folder, {recursive: true, force: true}) // whoever began it was killed
    return false
  }
  try {
    await run('python3', ['-m', 'venv', folder])
    await run(join(folder, 'bin/pip'), ['install', '--quiet', '--disable-pip-version-check', ...packages], {
      timeout: INSTALL_MS
    })
    return true
  } catch (error) {
    rmSync(folder, {recursive: true, force: true})
    throw error
  }
}
