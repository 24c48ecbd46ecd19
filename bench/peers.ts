import {execFile} from 'node:child_process'
import {existsSync, mkdirSync} from 'node:fs'
import {rename} from 'node:fs/promises'
import {join} from 'node:path'
import {promisify} from 'node:util'
import {cacheFolder, isInstalled} from './tools.ts'

const execute = promisify(execFile)

/** A program of somebody else that we are compared with. It is fetched into a cache, in just this version, and is no dependency. */
interface Fetched {
  readonly name: string
  readonly version: string
}

interface FromNpm extends Fetched {
  /** Below its package's folder. */
  readonly program: string
}

interface FromGo extends Fetched {
  readonly module: string
}

const FROM_NPM: readonly FromNpm[] = [
  {name: 'concurrently', version: '10.0.7', program: 'dist/bin/index.js'},
  {name: 'nodemon', version: '3.1.14', program: 'bin/nodemon.js'},
  {name: 'pm2', version: '7.0.4', program: 'bin/pm2-runtime'},
  {name: 'portless', version: '0.15.6', program: 'dist/cli.js'}
]

const FROM_GO: readonly FromGo[] = [
  {name: 'process-compose', version: '1.87.0', module: 'github.com/f1bonacc1/process-compose'}
]

export const PEERS: readonly Fetched[] = [...FROM_NPM, ...FROM_GO]

/** The command that starts a peer; undefined: it is not here, and cannot be fetched. */
export async function peer(name: string): Promise<readonly string[] | undefined> {
  try {
    const ofNpm = FROM_NPM.find(each => each.name === name)
    if (ofNpm !== undefined) return isInstalled('npm') ? [process.execPath, await npmProgram(ofNpm)] : undefined
    const ofGo = FROM_GO.find(each => each.name === name)
    if (ofGo === undefined || !isInstalled('go')) return undefined
    return [await goProgram(ofGo)]
  } catch {
    return undefined // no registry here, or not with this version
  }
}

async function npmProgram({name, version, program}: FromNpm): Promise<string> {
  const folder = join(cacheFolder(), `${name}-${version}`)
  const path = join(folder, 'node_modules', name, program)
  mkdirSync(folder, {recursive: true})
  if (!existsSync(path)) await execute('npm', ['install', '--prefix', folder, '--no-audit', `${name}@${version}`])
  return path
}

/** Built where its module lies, by its own list of sums: `go install` would ask for all versions, which not every proxy tells. */
async function goProgram({name, version, module}: FromGo): Promise<string> {
  const path = join(cacheFolder(), `${name}-${version}`)
  if (existsSync(path)) return path
  const {stdout} = await execute('go', ['mod', 'download', '-json', `${module}@v${version}`], {cwd: cacheFolder()})
  const {Dir: source} = JSON.parse(stdout) as {readonly Dir: string}
  const unfinished = `${path}.${process.pid}`
  await execute('go', ['build', '-C', source, '-trimpath', '-o', unfinished, '.'])
  await rename(unfinished, path)
  return path
}
