/**
 * Builds what the tests of Kubernetes need, into a cache. etcd, kube-apiserver and kube-controller-manager become one
 * program: about 400 s of CPU and 3.4 GB of Go's caches once, 120 MB kept. Run directly it says what it does; the tests call
 * it, too.
 */
import {execFileSync, spawnSync} from 'node:child_process'
import {createHash} from 'node:crypto'
import {cpSync, existsSync, mkdirSync, readFileSync, renameSync} from 'node:fs'
import {homedir} from 'node:os'
import {join} from 'node:path'

const SOURCE = join(import.meta.dirname, 'api-server')
/** Its module holds the definitions of Dapr's resources. */
const DAPR = 'github.com/dapr/dapr@v1.14.0'
const CACHE = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache')

/** Where all of it is, or will be: a folder for each version of the source. */
function folderOf(): string {
  const hash = createHash('sha256')
  for (const name of ['go.mod', 'go.sum', 'main.go']) hash.update(readFileSync(join(SOURCE, name)))
  return join(CACHE, 'pillion-test', 'kubernetes', hash.update(DAPR).digest('hex').slice(0, 12))
}

/** What was built. */
export interface Built {
  /** etcd, kube-apiserver and kube-controller-manager. */
  readonly program: string
  /** The folder of Dapr's CustomResourceDefinitions. */
  readonly definitions: string
}

const builtIn = (folder: string): Built => ({program: join(folder, 'cluster'), definitions: join(folder, 'crds')})

const isBuilt = ({program, definitions}: Built): boolean => existsSync(program) && existsSync(definitions)

/** Why it cannot be built here; '' if it can, or is there. */
export function missing(): string {
  if (isBuilt(builtIn(folderOf()))) return ''
  const {status} = spawnSync('go', ['version'])
  return status === 0 ? '' : 'Go is not installed: it builds the API server of these tests (https://go.dev/dl)'
}

/** Builds what is not there yet. */
export function build(): Built {
  const folder = folderOf()
  const built = builtIn(folder)
  if (isBuilt(built)) return built
  mkdirSync(folder, {recursive: true})
  console.log('building the API server of the tests, once: some minutes')
  const unfinished = `${folder}/${process.pid}`
  const {Dir} = JSON.parse(execFileSync('go', ['mod', 'download', '-json', DAPR], {cwd: folder, encoding: 'utf8'})) as {
    readonly Dir: string
  }
  cpSync(join(Dir, 'charts', 'dapr', 'crds'), `${unfinished}.crds`, {recursive: true})
  const args = ['build', '-trimpath', '-ldflags=-s -w', '-o', `${unfinished}.program`, '.']
  if (!existsSync(built.program)) {
    execFileSync('go', args, {cwd: SOURCE, stdio: 'inherit'})
    renameSync(`${unfinished}.program`, built.program)
  }
  if (!existsSync(built.definitions)) renameSync(`${unfinished}.crds`, built.definitions)
  return built
}

if (process.argv[1] === import.meta.filename) {
  const reason = missing()
  console.log(reason === '' ? build().program : `skipped: ${reason}`)
}
